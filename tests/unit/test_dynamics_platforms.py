import numpy as np
import pytest

from moxie.dynamics import platforms
from moxie.dynamics.systems import build_model
from moxie.errors import InputError


@pytest.fixture(scope="module")
def methane():
    model = build_model({"methane": 2}, {"methane": "C"}, "trappe_ua", edge_nm=None)
    return model.system, np.array([[0.0, 0, 0], [0.4, 0, 0]])


def test_processor_is_used_with_the_threads_asked_for(methane):
    choice = platforms.choose_platform(*methane, "CPU", threads=1)
    assert (choice.name, choice.precision, choice.properties) == ("CPU", "single", {"Threads": "1"})


def test_unknown_platform_is_refused(methane):
    with pytest.raises(InputError, match="allowed are auto, CUDA, HIP, OpenCL, CPU"):
        platforms.choose_platform(*methane, "Reference")


def test_platform_that_is_not_installed_is_refused_with_the_reason(methane, monkeypatch):
    monkeypatch.setattr(platforms, "_available", lambda: ["Reference", "CPU"])
    with pytest.raises(InputError, match="CUDA: not part of this OpenMM installation"):
        platforms.choose_platform(*methane, "CUDA")
    assert platforms.choose_platform(*methane, "auto").name == "CPU"


def faked(monkeypatch, gpu):
    """Let a CUDA and an OpenCL platform exist whose evaluation is `gpu`."""
    real = platforms.evaluate
    monkeypatch.setattr(platforms, "_available", lambda: ["Reference", "CPU", "CUDA", "OpenCL"])

    def evaluate(choice, system, positions):
        return (
            gpu(choice, real, system, positions)
            if choice.name in ("CUDA", "OpenCL")
            else real(choice, system, positions)
        )

    monkeypatch.setattr(platforms, "evaluate", evaluate)


def on_reference(real, system, positions):
    return real(platforms.PlatformChoice("Reference", "double", {}), system, positions)


def test_working_graphics_card_comes_first(methane, monkeypatch):
    faked(monkeypatch, lambda choice, real, *rest: (*on_reference(real, *rest)[:2], "GeForce"))
    choice = platforms.choose_platform(*methane, "auto")
    assert (choice.name, choice.properties) == ("CUDA", {"Precision": "mixed"})


def test_card_that_fails_or_computes_nonsense_is_passed_over(methane, monkeypatch):
    def gpu(choice, real, *rest):
        if choice.name == "CUDA":
            raise RuntimeError("no CUDA-capable device is detected")
        energy, forces, _ = on_reference(real, *rest)
        return energy + 5.0, forces, "Radeon"

    faked(monkeypatch, gpu)
    assert platforms.choose_platform(*methane, "auto").name == "CPU"
    with pytest.raises(InputError, match="no CUDA-capable device"):
        platforms.choose_platform(*methane, "CUDA")
    with pytest.raises(InputError, match="is not the Reference platform's"):
        platforms.choose_platform(*methane, "OpenCL")


def test_opencl_device_that_is_a_processor_is_passed_over(methane, monkeypatch):
    faked(monkeypatch, lambda choice, real, *rest: (*on_reference(real, *rest)[:2], "cpu-haswell-AMD EPYC (PoCL)"))
    with pytest.raises(InputError, match="is a processor"):
        platforms.choose_platform(*methane, "OpenCL")


def test_forces_that_are_not_numbers_are_passed_over(methane, monkeypatch):
    faked(monkeypatch, lambda choice, real, *rest: (np.nan, np.zeros((2, 3)), "GeForce"))
    with pytest.raises(InputError, match="not finite"):
        platforms.choose_platform(*methane, "CUDA")


def test_disagreement_is_beyond_single_precision():
    forces = np.ones((10, 3))
    assert platforms.disagreement((100.0, forces), (100.001, forces * 1.0001)) is None
    assert "energy" in platforms.disagreement((100.0, forces), (101.0, forces))
    assert "forces" in platforms.disagreement((100.0, forces * 1.1), (100.0, forces))


@pytest.mark.parametrize(("sites", "percent"), [(300, 25), (5000, 25), (10_000, 50), (20_000, 100), (1_000_000, 100)])
def test_small_boxes_share_a_card_and_large_ones_do_not(sites, percent):
    assert platforms.gpu_percent(sites) == percent


def test_runs_ask_for_a_card_only_where_the_platform_names_one():
    from moxie.study import Study

    def percent(platform):
        system = {"composition": {"methanol": 2000}, "force_field": "trappe_ua", "temperatures_K": [298.15]}
        study = Study.load(
            {"molecules": {"methanol": "CO"}, "dynamics": {"platform": platform, "systems": {"liquid": system}}}
        )
        return study.dynamics.systems["liquid"].gpu_percent

    assert percent("auto") == percent("CPU") == 0
    assert percent("CUDA") == 60


@pytest.mark.parametrize("broken", ["CUDA", "HIP", "OpenCL"])
def test_next_platform_is_taken_when_one_cannot_make_a_context(methane, monkeypatch, broken):
    """The order is CUDA, HIP, OpenCL, CPU; the double-precision Reference platform is never chosen."""
    order = platforms.ORDER
    real, tried = platforms.evaluate, []
    monkeypatch.setattr(platforms, "_available", lambda: ["Reference", *order])

    def evaluate(choice, system, positions):
        if choice.name not in ("Reference", "CPU"):
            tried.append(choice.name)
            if order.index(choice.name) <= order.index(broken):
                raise RuntimeError("CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222)")
            return (*on_reference(real, system, positions)[:2], "AMD Radeon")
        return real(choice, system, positions)

    monkeypatch.setattr(platforms, "evaluate", evaluate)
    choice = platforms.choose_platform(*methane, "auto")
    expected = order[order.index(broken) + 1]
    assert choice.name == expected
    assert choice.precision == ("single" if expected == "CPU" else "mixed")
    assert tried == list(order[: order.index(broken) + 2])[: len(tried)]


def test_everything_broken_is_an_error_and_not_the_reference_platform(methane, monkeypatch):
    real = platforms.evaluate

    def evaluate(choice, system, positions):
        if choice.name == "Reference":
            return real(choice, system, positions)
        raise RuntimeError(f"{choice.name} is broken")

    monkeypatch.setattr(platforms, "evaluate", evaluate)
    monkeypatch.setattr(platforms, "_available", lambda: ["Reference", "CPU"])
    with pytest.raises(InputError, match="CPU: CPU is broken"):
        platforms.choose_platform(*methane, "auto")

"""One box from several force fields: which can share it, and the file that joins what its molecules use of each.

Charges and bonded terms belong to a molecule, and each molecule takes them from one source. The mixing rule and the
scales of 1-4 pairs belong to the box: what disagrees on them is refused.
"""

import atexit
import copy
import hashlib
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from moxie.dynamics.force_fields import ForceField, load_force_field
from moxie.dynamics.typing import Sites, canonical_smiles, check_parameters
from moxie.errors import InputError
from moxie.io import sha256
from moxie.structures.molecules import formal_charge, parse_smiles

_WATER = "O"
_SECTIONS = ("HarmonicBondForce", "HarmonicAngleForce", "PeriodicTorsionForce", "RBTorsionForce", "NonbondedForce")
_TYPED = ("type", "class")
_RULES = {"lorentz_berthelot": "Lorentz-Berthelot", "geometric": "geometric"}


def joined_name(sources: Iterable[str | Path], charge_scale: float | None) -> str:
    """Return what a box of some sources goes by: opls_ethers+opls_ions, with @0.8 for ions of scaled charge."""
    stems = "+".join(sorted({Path(source).stem for source in sources}))
    return stems if charge_scale is None else f"{stems}@{charge_scale:g}"


def joined_file(sources: Mapping[str, str], smiles: Mapping[str, str], charge_scale: float | None) -> Path:
    """Return the path of a file, kept while this process runs, with the text of `join`."""
    text = join(sources, smiles, charge_scale)
    path = _folder() / hashlib.sha256(text.encode()).hexdigest()[:16] / "box.xml"
    if not path.exists():
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    return path


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="moxie-force-fields-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def join(sources: Mapping[str, str], smiles: Mapping[str, str], charge_scale: float | None = None) -> str:
    """Return the force-field file of a box whose molecules, {name: SMILES}, have one source each, {name: force field}.

    `charge_scale` is what the ions have of their formal charges (None: what their sources give them). The file names
    the SHA-256 checksum of every source. Raises InputError for molecules without a source, or with two, for what a
    source does not cover, and for sources that cannot share a box, with the reason.
    """
    check_names(sources, smiles)
    fields = {name: load_force_field(sources[name]) for name in smiles}
    for name, field in fields.items():
        if field.is_template:
            raise InputError(
                f"{field.name} makes the parameters of each molecule in a job and cannot be one of several sources, or"
                f" have a `charge_scale`. Give {name} another force field, or the whole box to {field.name}."
            )
    sites = {name: check_parameters(fields[name].path, smiles[name], name) for name in smiles}
    charges = {name: formal_charge(parse_smiles(smiles[name], name)) for name in smiles}
    _check_one_source(fields, smiles)
    _check_rules(fields, sites)
    _check_waters(fields, smiles)
    ions = [name for name, charge in charges.items() if charge]
    scale = _ion_scale(fields, ions) if charge_scale is None else charge_scale
    root = ElementTree.Element("ForceField", name=joined_name(sources.values(), charge_scale))
    metadata = ElementTree.SubElement(
        root, "Metadata", title=" with ".join(dict.fromkeys(field.title for field in fields.values())),
        name=joined_name(sources.values(), charge_scale), generator="moxie",
        combining_rule=next(iter(fields.values())).combining_rule,
        united_atom=_word(any(field.united_atom for field in fields.values())), constraints=_constraints(fields, sites),
        rigid_water=_word(any(site.rigid for site in sites.values())), charge_scale=repr(scale),
        timestep_fs=repr(min(field.timestep_fs for field in fields.values())),
        cutoff_nm=repr(max(field.cutoff_nm for field in fields.values())),
    )  # fmt: skip
    sections = {tag: ElementTree.Element(tag) for tag in ("AtomTypes", *_SECTIONS)}
    coulomb, lennard_jones = _scales(fields, sites)
    sections["NonbondedForce"].attrib.update(coulomb14scale=repr(coulomb), lj14scale=repr(lennard_jones))
    validity = []
    for field in {field.path: field for field in fields.values()}.values():
        served = {name: sites[name] for name in smiles if fields[name].path == field.path}
        _add_source(metadata, sections, field, served, set(ions), scale)
        validity.append(f"{field.name} ({', '.join(served)}): {field.validity}")
    named = {row.get("source") for section in (metadata, *sections.values()) for row in section}
    kept = {field.name for field in fields.values()} | named
    for row in [row for row in metadata.findall("Source") if row.attrib["key"] not in kept]:
        metadata.remove(row)
    ElementTree.SubElement(metadata, "Validity").text = " ".join(validity)
    root.extend(section for section in sections.values() if len(section) or section.tag == "NonbondedForce")
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def check_names(sources: Mapping[str, str], smiles: Mapping[str, str]) -> None:
    """Raise InputError unless {molecule: force field} has one for each molecule of a box and no other."""
    without = [name for name in smiles if name not in sources]
    if without:
        raise InputError(f"force_field: {', '.join(without)} of the box has none. Give one for every molecule.")
    unknown = [name for name in sources if name not in smiles]
    if unknown:
        raise InputError(
            f"force_field: {', '.join(unknown)} is not in the box, which has {', '.join(smiles)}. Leave it out."
        )


def _check_one_source(fields: Mapping[str, ForceField], smiles: Mapping[str, str]) -> None:
    """Raise InputError for one molecule under two names with two sources: nothing could tell its atoms apart."""
    seen: dict[str, str] = {}
    for name, field in fields.items():
        same = seen.setdefault(_canonical(smiles, name), name)
        if fields[same].path != field.path:
            raise InputError(
                f"force_field: {same} and {name} are one molecule ({smiles[name]}), which {fields[same].name} and"
                f" {field.name} both claim. Give both names one source."
            )


def _check_rules(fields: Mapping[str, ForceField], sites: Mapping[str, Sites]) -> None:
    first = next(iter(fields))
    for name, field in fields.items():
        if field.combining_rule != fields[first].combining_rule:
            raise InputError(
                f"force_field: {first} ({fields[first].name}, {_RULES[fields[first].combining_rule]} rule) and {name}"
                f" ({field.name}, {_RULES[field.combining_rule]} rule) cannot share a box: their unlike atoms would"
                " have no rule. Take sources of one rule."
            )
    with_pairs = [name for name, site in sites.items() if site.torsions]
    for name in with_pairs[1:]:
        one, other = fields[with_pairs[0]], fields[name]
        scales = [(each.lennard_jones_14_scale, each.coulomb_14_scale) for each in (one, other)]
        if scales[0] != scales[1]:
            raise InputError(
                f"force_field: {with_pairs[0]} ({one.name}) scales its 1-4 pairs by {scales[0][0]:g} (Lennard-Jones)"
                f" and {scales[0][1]:g} (Coulomb), {name} ({other.name}) by {scales[1][0]:g} and {scales[1][1]:g}; a"
                " box has one pair of scales. Take sources that agree."
            )


def _scales(fields: Mapping[str, ForceField], sites: Mapping[str, Sites]) -> tuple[float, float]:
    """Return the scales of Coulomb and Lennard-Jones 1-4 pairs: of the molecules that have such pairs, if any."""
    name = next((name for name, site in sites.items() if site.torsions), next(iter(fields)))
    return fields[name].coulomb_14_scale, fields[name].lennard_jones_14_scale


def _check_waters(fields: Mapping[str, ForceField], smiles: Mapping[str, str]) -> None:
    """Raise InputError where ions come from a source with another water than the box has: they were fitted to it."""
    water = next((name for name in smiles if _canonical(smiles, name) == _WATER), None)
    if water is None:
        return
    here = _model_of_water(fields[water])
    for name, field in fields.items():
        other = _model_of_water(field)
        if name != water and formal_charge(parse_smiles(smiles[name], name)) and other and other != here:
            raise InputError(
                f"force_field: {name} ({field.name}) was fitted to the water of {field.name}, which is another than"
                f" {water}'s ({fields[water].name}); two waters cannot share a box. Take one source for both."
            )


def _model_of_water(field: ForceField) -> tuple[object, ...]:
    """Return the non-bonded parameters of water; nothing where the force field has none."""
    try:
        sites = check_parameters(field.path, _WATER, "water")
    except InputError:
        return ()
    kinds = [field.types[kind] for kind in sites.types]
    weights = [virtual.weights for virtual in sites.virtual]
    return (
        *((kind.charge_e, kind.sigma_nm if kind.epsilon_kJ_mol else 0, kind.epsilon_kJ_mol) for kind in kinds),
        *weights,
    )


def _ion_scale(fields: Mapping[str, ForceField], ions: list[str]) -> float:
    scales = {fields[name].charge_scale for name in ions}
    if len(scales) > 1:
        listed = ", ".join(f"{name} {fields[name].charge_scale:g} ({fields[name].name})" for name in ions)
        raise InputError(
            f"force_field: the ions have different shares of their formal charges: {listed}. Give the system a"
            " `charge_scale` for all of them."
        )
    return scales.pop() if scales else 1.0


def _constraints(fields: Mapping[str, ForceField], sites: Mapping[str, Sites]) -> str:
    """Return which bonds of a box are rigid; raises InputError where molecules would need different choices."""
    possible = ["none", "h_bonds", "all_bonds"]
    for name, field in fields.items():
        if sites[name].rigid:
            continue
        elements = [field.types[kind].element for kind in sites[name].types]
        rigid = {
            "none": set(),
            "h_bonds": {bond for bond in sites[name].bonds if "H" in (elements[bond[0]], elements[bond[1]])},
            "all_bonds": set(sites[name].bonds),
        }
        left = [choice for choice in possible if rigid[choice] == rigid[field.constraints]]
        if not left:
            raise InputError(
                f"force_field: the bonds of {name} ({field.name}) are rigid as {field.constraints} says, those of the"
                f" other molecules as {' or '.join(possible)} does; a box has one choice. Take sources that agree."
            )
        possible = left
    return possible[-1] if "h_bonds" not in possible else "h_bonds"


def _add_source(
    metadata: ElementTree.Element, sections: Mapping[str, ElementTree.Element], field: ForceField,
    sites: Mapping[str, Sites], ions: set[str], scale: float,
) -> None:  # fmt: skip
    """Add what some molecules use of a source, every name with that of the source before it."""
    of_type: dict[str, set[str]] = {}
    for name, site in sites.items():
        for kind in site.types:
            of_type.setdefault(kind, set()).add(name)
    used = {"type": set(of_type), "class": {field.types[kind].type_class for kind in of_type}}
    prefix = f"{field.name}."
    root = ElementTree.parse(field.path).getroot()
    ElementTree.SubElement(
        metadata, "Source", key=field.name, doi="none"
    ).text = f"{field.path.name}, SHA-256 {sha256(field.path)}, for {', '.join(sites)}"
    for row in root.findall("Metadata/Source"):
        metadata.append(_copied(row, key=prefix + row.attrib["key"]))
    smiles = {kind: " ".join(sorted({_canonical_of(sites[name]) for name in names})) for kind, names in of_type.items()}
    for row in root.findall("Metadata/VirtualSite"):
        kind = row.attrib["type"]
        if kind in of_type:
            metadata.append(_copied(row, type=prefix + kind, source=_source(row, prefix), molecules=smiles[kind]))
    for row in root.findall("AtomTypes/Type"):
        kind = row.attrib["name"]
        if kind in of_type:
            others = (other for other in field.types[kind].overrides if other in of_type)
            changed = {"name": prefix + kind, "class": prefix + row.attrib["class"], "source": _source(row, prefix)}
            if "overrides" in row.attrib:
                changed["overrides"] = " ".join(prefix + other for other in others)
            sections["AtomTypes"].append(_copied(row, **changed, molecules=smiles[kind]))
            _add_nonbonded(sections["NonbondedForce"], field, kind, prefix, _share(field, kind, of_type, ions, scale))
    for tag in _SECTIONS[:-1]:
        for section in root.findall(tag):
            for row in section:
                names = {key: row.attrib[key] for key in row.attrib if key.rstrip("1234") in _TYPED}
                if all(not value or value in used[key.rstrip("1234")] for key, value in names.items()):
                    changed = {key: prefix + value if value else "" for key, value in names.items()}
                    sections[tag].append(_copied(row, **changed, source=_source(row, prefix)))


def _add_nonbonded(section: ElementTree.Element, field: ForceField, kind: str, prefix: str, share: float) -> None:
    found = field.types[kind]
    charge = found.charge_e if share == 1 else found.charge_e * share
    ElementTree.SubElement(
        section, "Atom", type=prefix + kind, charge=repr(charge), sigma=repr(found.sigma_nm),
        epsilon=repr(found.epsilon_kJ_mol),
    )  # fmt: skip


def _share(field: ForceField, kind: str, of_type: Mapping[str, set[str]], ions: set[str], scale: float) -> float:
    """Return by what the charge of a type is multiplied; raises InputError for a type of both ions and others."""
    charged, neutral = of_type[kind] & ions, of_type[kind] - ions
    share = scale / field.charge_scale if charged else 1.0
    if charged and neutral and share != 1:
        raise InputError(
            f"charge_scale: the type {kind} of {field.name} is in an ion ({', '.join(sorted(charged))}) and in a"
            f" neutral molecule ({', '.join(sorted(neutral))}), so that its charge cannot be scaled for one of them."
        )
    return share


def _copied(row: ElementTree.Element, **changed: str) -> ElementTree.Element:
    result = copy.deepcopy(row)
    result.attrib.update({key: value for key, value in changed.items() if value or key in row.attrib})
    return result


def _source(row: ElementTree.Element, prefix: str) -> str:
    return prefix + row.attrib["source"] if row.get("source") else ""


def _canonical(smiles: Mapping[str, str], name: str) -> str:
    return canonical_smiles(parse_smiles(smiles[name], name))


def _canonical_of(sites: Sites) -> str:
    return canonical_smiles(parse_smiles(sites.smiles, sites.name))


def _word(value: bool) -> str:
    return "true" if value else "false"

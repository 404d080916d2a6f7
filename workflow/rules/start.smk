"""The study, loaded and checked, or a message in place of a start."""


def or_end(action):
    """Do something, or end Snakemake with the message of an InputError."""
    try:
        return action()
    except InputError as error:
        sys.exit(str(error))


def check_default_study():
    check_file(ROOT / "config.yaml")


def load_study():
    check_configfiles(workflow.overwrite_configfiles)
    found = Study.load(config, [check_file(file) for file in workflow.overwrite_configfiles])
    if workflow.is_main_process and workflow.overwrite_configfiles:
        default = StudyConfig().study if config.get("extends") == "nothing" else default_study().study
        note = replaced_report(found.config.study.model_dump(), default.model_dump())
        if note:
            logger.warning(note)
    config.update(found.config.model_dump(mode="json"))  # with the defaults of what was left out
    if workflow.is_main_process:
        for name, text in found.mixtures.items():
            print(f"{name}: {text}", file=sys.stderr)
    return found

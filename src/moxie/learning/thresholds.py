"""What the learning tasks need at least: light, since every start asks which of them a study can run."""

FEWEST_TEMPERATURES = 3  # oxide_surrogate: one is left out, two are learnt from
FEWEST_FILMS = 3  # site_map
FEWEST_STATES = 3  # force_field_error, with a reference
FEWEST_MOLECULES = 30  # logp, with a measured value
N_FOLDS = 5  # logp, each of whole scaffolds

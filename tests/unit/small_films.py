"""What a film of a second takes, for tests only: 24 O in two stages, and no checkpoint unless it is asked for."""

from moxie.oxidation.films.growth import Anneal, FilmSettings, Growth

SETTINGS = FilmSettings(
    n_oxygen=24,
    growth=Growth(stages=2, moves_per_oxygen=60, hot_moves_per_oxygen=20),
    anneal=Anneal(steps=4, moves_per_oxygen=40, final_moves_per_oxygen=80),
    checkpoint_interval_s=1e9,
)

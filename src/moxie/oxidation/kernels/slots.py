"""Names of the slots of `Scratch.counters`: counts and flags that the kernels share."""

(
    ROW_STAMP,  # stamp of the rows of the present local problem
    MARK_STAMP,  # stamp of the atoms marked last
    N_ROWS,  # rows of the local problem
    N_PAIRS,  # pairs of the repulsion that it lists
    N_OLD_PAIRS,  # those in range before the move
    OVERFLOW,  # whether more atoms came near each other than any sound network has
    N_BONDS,  # bonds of the local problem
    N_RESERVE,  # O in reserve
    N_TRAVELLERS,  # atoms enlisted at a trial position
    N_TERM_ROWS,  # rows that the valence terms of the local problem reach
    N_FROZEN,  # frozen atoms of the network
    N_EDITS,  # entries of the log by which the last move is undone
    N_COUNTERS,
) = range(13)

"""Shadow tests: the best whole test that still fits the blueprint, assembled anew at every step.

After van der Linden and Reese (1998): each step assembles a full test that contains every item administered
so far and meets every constraint; the next item is taken from it, so the finished test meets them too. The
rule that asks lives elsewhere; this is the machine.

    constraints   the lines of a blueprint over the columns of a pool
    program       the same as an integer programme
    ranges        the exact shortcut for nested count ranges
    linear        HiGHS, the solver of linear programmes, as a function of its arguments
    bounds        what no test can exceed, proven in integers
    search        the integer optimum, by branch and bound
    relaxation    what gives way, in the declared order, when nothing fits
    conflicts     which lines contradict each other
    assembler     all of it behind one call
"""

"""Lines that can be told from each other: each step is one, and its bit in the sum says it ran."""

STEPS = (
    lambda: 1 << 0,  # in: step 0
    lambda: 1 << 1,  # in: step 1
    lambda: 1 << 2,  # in: step 2
    lambda: 1 << 3,  # in: step 3
    lambda: 1 << 4,  # in: step 4
    lambda: 1 << 5,  # in: step 5
    lambda: 1 << 6,  # in: step 6
    lambda: 1 << 7,  # in: step 7
    lambda: 1 << 8,  # in: step 8
    lambda: 1 << 9,  # in: step 9
    lambda: 1 << 10,  # in: step 10
    lambda: 1 << 11,  # in: step 11
    lambda: 1 << 12,  # in: step 12
    lambda: 1 << 13,  # in: step 13
    lambda: 1 << 14,  # in: step 14
    lambda: 1 << 15,  # in: step 15
    lambda: 1 << 16,  # in: step 16
    lambda: 1 << 17,  # in: step 17
    lambda: 1 << 18,  # in: step 18
    lambda: 1 << 19,  # in: step 19
    lambda: 1 << 20,  # in: step 20
    lambda: 1 << 21,  # in: step 21
    lambda: 1 << 22,  # in: step 22
    lambda: 1 << 23,  # in: step 23
    lambda: 1 << 24,  # in: step 24
    lambda: 1 << 25,  # in: step 25
    lambda: 1 << 26,  # in: step 26
    lambda: 1 << 27,  # in: step 27
    lambda: 1 << 28,  # in: step 28
    lambda: 1 << 29,  # in: step 29
    lambda: 1 << 30,  # in: step 30
    lambda: 1 << 31,  # in: step 31
)

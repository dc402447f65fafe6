"""Greenlets that switch in the middle of their functions, which end in another order."""

import greenlet
from other import end, step


def run() -> None:
    for _ in range(3):
        step(main.switch)
    end()


def never() -> None:
    print("never")  # never


main = greenlet.getcurrent()
greenlets = [greenlet.greenlet(run) for _ in range(3)]
while greenlets:
    for one in tuple(greenlets):
        one.switch()
        if one.dead:
            greenlets.remove(one)
print("end")

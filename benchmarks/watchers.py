"""Pages that are open and watch: python -m benchmarks.watchers PORT KEY COUNT.

They watch until its input ends. A process of its own, so that the measuring one shares its
interpreter with nobody.
"""

import select
import sys

from benchmarks.phone import Phone


def main() -> None:
    """Open the pages, say so, and read what they are told."""
    port, key, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    phones = [Phone(port, key) for _ in range(count)]
    print("open", flush=True)
    poller = select.epoll()
    by_number = {phone.fileno(): phone for phone in phones}
    for number in (*by_number, sys.stdin.fileno()):
        poller.register(number, select.EPOLLIN)
    while True:
        for number, _ in poller.poll():
            if number not in by_number:
                return
            by_number[number].read()


if __name__ == "__main__":
    main()

"""`python -m workers.sandbox TASKS CONTROL_FD [MODULE ...]`, started by `workers.sandbox.client`."""

from workers.sandbox.server import main

if __name__ == "__main__":
    main()

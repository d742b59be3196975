"""`python -m workers.sandbox TASKS CONTROL_FD [MODULE ...]`, which only `workers.sandbox.client` starts."""

from workers.sandbox.server import main

if __name__ == "__main__":
    main()

"""Runs a declared task on untrusted bytes in a locked process, and knows nothing of what the task does.

A module declares its tasks by name. It imports what they need at its top, since later the process opens no files:

    TASKS: dict[str, Task] = {"count_lines": count_lines}

    def count_lines(file: int, *, separator: str) -> Iterator[Message]:
        data = read_all(file)                        # from workers.sandbox.task
        if not data:
            raise Reject("bad_annotation", "0 bytes")
        yield {"lines": data.count(separator.encode())}, b""

and the caller, in another process, asks for one of them:

    from workers.sandbox.client import SandboxError, sandbox
    from workers.sandbox.limits import SandboxLimits

    for header, payload in sandbox("stages.my_tasks", SandboxLimits()).call("count_lines", path, separator="\n"):
        ...

- The file is a path that the caller may read, or bytes. The task gets a read-only descriptor, and no name.
- A message is a dict that JSON can write, of at most 1 MiB, and bytes. Many small messages are better than a large one:
  the caller treats them as untrusted data, since a task that was taken over can write anything.
- What the task raises as `schemas.rejects.Reject` the caller gets as that. SandboxError says that the process crashed,
  or ran over a limit of time or memory; RuntimeError carries the traceback of anything else, which is a fault of ours.
- Processes are forked from one that has imported the tasks and never sees untrusted bytes. A process answers calls
  until it has used `reuse_cpu_s`, or longer if all are about one file, so that starting one costs little, and the next
  has nothing of what it was given.
  Calls of several threads may run at once, each in a process.
- A task may open its file by a name, `/proc/self/fd/N`, only where it is called with `fresh=True`.

`client` is the caller's side, `server` the other one, and `lockdown` applies the layers. `longvid doctor` says which of
them this machine has, and docs/security.md what they hold off.
"""

r"""Runs declared tasks on untrusted bytes in locked processes, independent of what the tasks do.

A module declares its tasks by name. It imports what they need at its top, since the process cannot open files later:

    TASKS: dict[str, Task] = {"count_lines": count_lines}

    def count_lines(file: int, *, separator: str) -> Iterator[Message]:
        data = read_all(file)                        # from workers.sandbox.task
        if not data:
            raise Reject("bad_annotation", "0 bytes")
        yield {"lines": data.count(separator.encode())}, b""

The caller, in another process, runs one of them:

    from workers.sandbox.client import SandboxError, sandbox
    from workers.sandbox.limits import SandboxLimits

    for header, payload in sandbox("stages.my_tasks", SandboxLimits()).call("count_lines", path, separator="\n"):
        ...

- The file is a path that the caller may read, or bytes. The task gets a read-only descriptor without a name.
- A message is a dict that JSON can represent, of at most 1 MiB, and bytes. Several small messages are better than a
  large one. The caller must treat them as untrusted, since a file that takes over the process can write anything.
- A `schemas.rejects.Reject` of the task is raised in the caller. SandboxError means that the process crashed or
  exceeded a limit; RuntimeError contains the traceback of any other error, which is a bug of the task.
- Processes are forked from one that has imported the tasks and never reads untrusted bytes. A process is reused until
  it has used `reuse_cpu_s`, or longer if it reads the same file only. Concurrent calls use different processes.
- A task may open its file by a name, `/proc/self/fd/N`, only if it is called with `fresh=True`.

`client` is the side of the caller, `server` the other one, and `lockdown` applies the layers. `longvid doctor` prints
which of them this machine has; docs/security.md describes what they prevent.
"""

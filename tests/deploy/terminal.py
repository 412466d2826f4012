"""Runs a program on a terminal and answers its questions, as a person does."""

import os
import pty
import re
import select
import signal
import time

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# A question ends the output, with a colon and what Enter would answer before it. One without an answer has no brackets.
QUESTION = re.compile(r"^\s*(.+?):? *(?:\[([^\]]*)\])?: $")
SECONDS = 150


class Unanswered(Exception):
    """The program asked the same question again, or never ended."""


def answered(arguments, answer, env, cwd):
    """The exit code, the questions in their order with what Enter answers, and the output.

    `answer(question)` says what is typed before Enter. A question that comes back is not answered twice.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cwd)
        os.execve(arguments[0], arguments, env)
    output, seen, questions = "", 0, {}
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                read = os.read(terminal, 65536)
            except OSError:  # The program has closed its side.
                break
            if not read:
                break
            output += ESCAPES.sub("", read.decode(errors="replace"))
            question = QUESTION.match(output[seen:].splitlines()[-1]) if output[seen:] else None
            if question is None:
                continue
            text = question[1].strip()
            if text in questions:
                raise Unanswered(f"`{text}` is asked again\n{output[-2000:]}")
            questions[text] = question[2]
            seen = len(output)
            os.write(terminal, (answer(text) + "\n").encode())
        else:
            raise Unanswered(f"no end after {SECONDS} seconds\n{output[-2000:]}")
    except Unanswered:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), questions, output

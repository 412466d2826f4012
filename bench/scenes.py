"""What a function is given to do: the events, the settings, and the outcome without which nothing was measured."""

import asyncio
import dataclasses
import itertools

from programs import Program
from runtime_api import FUNCTION_ARN, Answered


@dataclasses.dataclass(frozen=True)
class Scene:
    """`incident` names the copy jobs of the world, `outcome` what the answer has to say. Where a scene is `repeated`, the same event
    has been handled before, by another process of the same program."""

    name: str
    incident: str
    mode: str
    outcome: frozenset
    repeated: bool = False


REPAIRED = frozenset({"repaired-and-retried"})
SCENES = {
    scene.name: scene
    for scene in (
        Scene("handled-before", "vault", "observe", frozenset({"already-handled"}), repeated=True),
        Scene("observe", "vault", "observe", frozenset({"planned"})),
        Scene("vault-repair", "vault", "repair", REPAIRED),
        Scene("key-repair", "key", "repair", REPAIRED),
    )
}


class WrongOutcome(Exception):
    """The function did something else than was to be measured."""


class Stage:
    """Plays scenes in one laboratory. Each gets an incident of its own."""

    def __init__(self, laboratory):
        self._laboratory = laboratory
        self._numbers = {kind: itertools.count(1) for kind in ("vault", "key")}
        self._modes = {}

    def next_event(self, kind):
        return self._laboratory.event(f"{kind}-{next(self._numbers[kind])}")

    def run(self, program, mode, over, function_arn=FUNCTION_ARN):
        return self._laboratory.run(program, over, function_arn=function_arn, COPYMEND_MODE=mode)

    async def play(self, program: Program, scene: Scene, over="http", function_arn=FUNCTION_ARN):
        """One run of a scene by a new process. A run with other settings than the one before it would write them down first; another
        incident's event lets that happen before."""
        if self._modes.get(program.name) != scene.mode:
            await self._hand(program, scene, over, self.next_event(scene.incident))
            self._modes[program.name] = scene.mode
        event = self.next_event(scene.incident)
        if scene.repeated:
            await self._hand(program, scene, over, event)
        self._laboratory.endpoint.take()
        async with self.run(program, scene.mode, over, function_arn) as function:
            first_poll = await function.first_poll()
            processor = function.processor()
            answered = await function.invoke(event)
        check(scene, answered)
        if scene.outcome is REPAIRED:
            await self._check_copy(answered.body["retried_job"])
        return Played(first_poll, processor, answered, self._laboratory.endpoint.take())

    async def _check_copy(self, job_id):
        """A repair that doesn't let the copy through is none."""
        for _ in range(50):
            state = self._laboratory.copy(job_id)["State"]
            if state == "COMPLETED":
                return
            await asyncio.sleep(0.1)
        raise WrongOutcome(f"the copy {job_id} that was started again is {state}")

    async def _hand(self, program, scene, over, event):
        async with self.run(program, scene.mode, over) as function:
            await function.invoke(event)


@dataclasses.dataclass(frozen=True)
class Played:
    """`first_poll` and `processor` are seconds, both from the spawn to the first poll."""

    first_poll: float
    processor: float
    answered: Answered
    calls: list


def check(scene, answered):
    outcome = answered.body.get("outcome")
    if outcome not in scene.outcome:
        why = [guard for guard in answered.body.get("guards", []) if not guard["passed"]] or answered.body.get("notes") or answered.body
        raise WrongOutcome(f"{scene.name}: {outcome!r}, and {sorted(scene.outcome)} was expected: {why}")

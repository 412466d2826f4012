"""Where things lie, and what they are called."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".test-tools"
LOGS = TOOLS / "logs" / "containers"
WORK = TOOLS / "containers"
SAM = TOOLS / "sam" / "bin" / "sam"
PROGRAM = ROOT / os.environ.get("COPYMEND_PROGRAM", "target/debug/copymend")
BUILT = ROOT / ".aws-sam" / "build"
FUNCTIONS = ("CopyRemediator", "AccessAdvisor")

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
REPOSITORY = "public.ecr.aws/lambda/provided"
TAG = f"al2023-{ARCHITECTURE}"
IMAGE = f"{REPOSITORY}:{TAG}"
# What the SAM CLI makes of it: the same with its emulator.
RAPID_IMAGE = f"{REPOSITORY}:al2023-rapid-{ARCHITECTURE}"

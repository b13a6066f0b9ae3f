"""Nothing that this package loads keeps an id of the machine, nor says anything to anyone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = Path(__file__).parents[1]

RUN = """
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
assert session.run(None, {"x": np.array([-1.0], np.float32)})[0][0] == 0
"""


def files_left_by(code: str, work: Path) -> list[str]:
    """What a program of its own leaves in its empty HOME and folder for temporary files."""
    folders = {name: str(work / name.lower()) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True)
    # Nothing else of the caller's: pytest itself runs with the telemetry off.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TRAINING), "PYTHONDONTWRITEBYTECODE": "1", **folders}
    subprocess.run([sys.executable, "-c", code], env=env, cwd=work, check=True)
    return sorted(str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())


def test_a_session_of_this_package_leaves_no_file(tmp_path):
    assert files_left_by("import veraretouch.export.runner" + RUN, tmp_path) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the id of the machine lies in other places")
def test_without_it_the_id_of_the_machine_is_found(tmp_path):
    """The test above would see it."""
    assert any(name.endswith("deviceid") for name in files_left_by(RUN, tmp_path))


def test_every_library_that_would_report_is_told_not_to():
    code = (
        "import os, veraretouch, huggingface_hub.constants as hub, ray._common.usage.usage_lib as usage\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
        "assert hub.HF_HUB_DISABLE_TELEMETRY\n"
        "assert not usage.usage_stats_enabled()\n"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TRAINING), "HOME": os.environ.get("HOME", "/")}
    # Also where the caller asks for it.
    env |= {"ORT_DISABLE_TELEMETRY": "0", "RAY_USAGE_STATS_ENABLED": "1", "HF_HUB_DISABLE_TELEMETRY": "0"}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)

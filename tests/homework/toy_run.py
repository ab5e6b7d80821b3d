"""Stands in for `grading.run`: writes the notebook that a line `# toy: …` of the submission asks for."""

import json
import re
import sys
import time
from pathlib import Path

student, path = sys.argv[1:3]
notebook = json.loads(Path(path).read_text())
says = "\n".join(re.findall("toy: (.*)", "".join("".join(cell["source"]) + "\n" for cell in notebook["cells"])))
with open("calls.txt", "a") as calls:
    calls.write(f"{student} {time.time()}\n")
if "sleep" in says:
    time.sleep(2)
if "hang" in says:
    time.sleep(600)
if "fail" in says:
    sys.exit("ToyError: the stand-in fails")
points = (re.findall(r"points (\S+)", says) or ["1.0"])[0]
line = (re.findall("says (.*)", says) or ["✓ right"])[0]
for cell in notebook["cells"]:
    about = cell["metadata"].get("nbgrader", {})
    if about.get("grade") and not about.get("solution"):
        value = {"output_type": "execute_result", "data": {"text/plain": points}, "metadata": {}}
        value["execution_count"] = 1
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": line + "\n"}, value]
clouds = {str(n): [[0.1 * i, -0.2 * i] for i in range(12)] for n in (10, 1000, 50)} if "clouds" in says else {}
early = {"status": "ended early", "reason": "It took too much memory."} if "early" in says else {}
figures = {"figures": "10 steps: distance 0.0453"} if clouds else {}
notebook["metadata"]["homework"] = figures | {"status": "complete", "reason": "", "samples": clouds, **early}
Path(path).write_text(json.dumps(notebook))
with open("calls.txt", "a") as calls:
    calls.write(f"{student} {time.time()} done\n")

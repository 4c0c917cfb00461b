"""The card beside a saved model: how it came to be, and the lines that load it without SubnetLab.

Every loader needs torch and safetensors, and besides the author's own class or package; only a model that
comes with SubnetLab is built by it.
"""

from typing import Any

from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE
from subnetlab.fleet.worker.meaning import in_words, meaning
from subnetlab.train.manifest import Manifest
from subnetlab.train.models import Factory, HuggingFace, ModelSpec, Source, TinyGPT

_LOAD = f'model.load_state_dict(load_file("{MODEL_FILE}"))'


def card(manifest: Manifest, network: str, config: dict[str, Any]) -> str:
    """The card as Markdown."""
    loss = "not finite" if config["val_loss"] is None else f"{config['val_loss']:.4f} {manifest.task.unit}"
    said = in_words(meaning(manifest), CONFIG_FILE)
    said = f"\n{said}\n" if said else ""
    start = f"`{manifest.init}`" if manifest.init else f"seed {manifest.seed}"
    return f"""# {manifest.run_id}

A model trained by the miners of subnet {manifest.netuid} on {network}, with SubnetLab.

| what | value |
|---|---|
| rounds | {config["rounds"]} of {manifest.rounds} |
| parameters | {config["parameters"]:,} |
| held-out loss | {loss} |
| strategy | {type(manifest.strategy).__name__} |
| first weights | {start} |
| model hash | `{config["theta_hash"]}` |
| manifest hash | `{manifest.hash}` |

`{MODEL_FILE}` holds what `state_dict()` names, `{CONFIG_FILE}` how to build the model that takes it.
In this folder:

```python
{loader(manifest.model)}
```
{said}"""


def loader(spec: ModelSpec) -> str:
    """Python that loads the model, run in the folder that was saved."""
    first = ["from safetensors.torch import load_file", ""]
    match spec:
        case HuggingFace(architecture=name):
            kind = "AutoModelForCausalLM" if name.startswith("Auto") else name
            return f'from transformers import {kind}\n\nmodel = {kind}.from_pretrained(".")'
        case Source():
            build = [
                f'described = json.load(open("{CONFIG_FILE}"))["model"]',
                "# The source of the model that was trained; read it before you run it.",
                'space = {"__name__": "__main__"}',
                'exec(described["text"], space)',
                'model = space[described["name"]](**described["options"])',
            ]
            return "\n".join(["import json", *first, *build, _LOAD])
        case Factory(path=path, options=options):
            module, _, name = path.partition(":")
            outer = name.partition(".")[0]
            given = ", ".join(f"{key}={value!r}" for key, value in options.items())
            return "\n".join([f"from {module} import {outer}", *first, f"model = {name}({given})", _LOAD])
        case TinyGPT():
            build = [f'model = models.from_json(json.load(open("{CONFIG_FILE}"))["model"]).build()', _LOAD]
            return "\n".join(["import json", "from subnetlab import models", *first, *build])
        case _:
            return "\n".join([*first, "model = ...  # made as the module was that the run was given", _LOAD])

"""TRL's SFTTrainer with PEFT on the same examples in the same order.

trl SFTConfig as it is (padded batches of 8, gradient checkpointing, bf16 by autocast), but: examples in order instead
of shuffled, the loss logged every step instead of every tenth, and the learning rate and steps of the run. trl-packed
besides, packing=True with its defaults; the rows are laid here, so that each step has the examples of the others':
`rows` a step, each with the examples that follow in order, as pack_dataset would write them. Flash attention where it
is installed, as TRL asks for.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from datasets import Dataset
from mixtune_worker.prepared import Prepared
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

from engine import random_net

MICRO_BATCH = 8
"""SFTConfig's per_device_train_batch_size."""


def train(turns, settings, name):
    prepared = Prepared(Path(settings["prepared"]))
    spec = prepared.json["spec"]["train"]
    data = prepared.train()
    steps = [in_order(data, step) for step in range(len(data.learning_rate))]
    packed = name == "trl-packed"
    flash = packed and turns.device.type == "cuda" and find_spec("flash_attn") is not None

    class InTurns(SFTTrainer):
        losses: ClassVar[list] = []  # of the batch under way

        def training_step(self, *args, **kwargs):
            loss = super().training_step(*args, **kwargs)
            self.losses.append(loss)
            return loss

        def log(self, logs, start_time=None):
            super().log(logs, start_time)
            if "loss" in logs:
                losses, self.losses = self.losses, []
                turns.over(lambda: float(sum(losses)))

    micro = len(steps[0]) // settings["rows"] if packed else MICRO_BATCH
    rows = [row for step in steps for row in (packed_rows(step, micro) if packed else step)]
    more = {"packing": True, "dataset_kwargs": {"skip_prepare_dataset": True}} if packed else {}
    with tempfile.TemporaryDirectory() as folder:
        trainer = InTurns(
            model=random_net(settings, "flash_attention_2" if flash else None),
            args=SFTConfig(
                output_dir=folder,
                per_device_train_batch_size=1 if packed else MICRO_BATCH,
                gradient_accumulation_steps=len(steps[0]) // micro,
                max_steps=len(steps),
                learning_rate=spec["learning_rate"],
                bf16=settings["precision"] == "bfloat16",
                use_cpu=turns.device.type == "cpu",
                train_sampling_strategy="sequential",
                logging_steps=1,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                **more,
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=AutoTokenizer.from_pretrained(settings["model"]),
            peft_config=LoraConfig(
                r=spec["lora_rank"], lora_alpha=spec["lora_alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
            ),
        )
        first = load_file(Path(settings["runDir"]) / "checkpoints" / "step-0" / "adapter_model.safetensors")
        result = set_peft_model_state_dict(trainer.model, first)
        if result.unexpected_keys or any("lora_" in key for key in result.missing_keys):
            raise SystemExit("TRL's adapter has other tensors than the prepared run's")
        turns.say(attention=trainer.model.config._attn_implementation, padding_free=trainer.padding_free)
        turns.wait()
        trainer.train()


def in_order(data, step):
    """The examples of a step as mixtune's plan lists them, before they were packed."""
    items = sorted(
        int(item) for entries in data.packs[data.steps[step] : data.steps[step + 1]] for item in entries.item
    )
    pairs = [(data.items.prompts[item].tolist(), data.items.answers[item].tolist()) for item in items]
    return [{"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer} for prompt, answer in pairs]


def packed_rows(examples, each):
    return [
        {
            "input_ids": [token for one in row for token in one["input_ids"]],
            "labels": [label for one in row for label in one["labels"]],
            "seq_lengths": [len(one["input_ids"]) for one in row],
        }
        for row in (examples[i : i + each] for i in range(0, len(examples), each))
    ]

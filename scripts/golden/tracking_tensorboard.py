# SPDX-License-Identifier: Apache-2.0
"""Event files against the real TensorBoard: every step once, every float, text and option.

  python scripts/golden/tracking_tensorboard.py WRITE_LOGS
"""
import logging
import sys

import numpy as np
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util

from tracking_run import CONFIG, SAMPLE, Run, program_of


def bits(values):
    with np.errstate(over="ignore"):
        return np.array(values, dtype=np.float64).astype(np.float32).view(np.uint32).tolist()


def check_scalars(run, found):
    assert set(found) == set(run.scalars), set(found) ^ set(run.scalars)
    for name, want in run.scalars.items():
        assert [step for step, _ in found[name]] == [step for step, _ in want], f"steps of {name}"
        assert bits([value for _, value in found[name]]) == bits([value for _, value in want]), name


def check_config(reader):
    content = reader.SummaryMetadata(hparams.SESSION_START_INFO_TAG).plugin_data.content
    start = hparams.parse_session_start_info_plugin_data(content)
    for key, want in CONFIG.items():
        value = start.hparams[key]
        assert getattr(value, value.WhichOneof("kind")) == want, (key, value)
    end = hparams.parse_session_end_info_plugin_data(
        reader.SummaryMetadata(hparams.SESSION_END_INFO_TAG).plugin_data.content)
    assert 0 <= end.end_time_secs - start.start_time_secs < 600
    assert end.status == 1, end  # STATUS_SUCCESS


def check_texts(run, reader):
    assert reader.SummaryMetadata(SAMPLE).plugin_data.plugin_name == "text"
    found = [(event.step, tensor_util.make_ndarray(event.tensor_proto).item().decode())
             for event in reader.Tensors(SAMPLE)]
    assert found == run.texts


def check_accumulator(run):
    """The class that scripts read event files with. It never drops texts of steps that were done again."""
    reader = event_accumulator.EventAccumulator(
        str(run.path / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    check_scalars(run, {name: [(event.step, event.value) for event in reader.Scalars(name)]
                        for name in reader.Tags()["scalars"]})
    check_config(reader)


def check_plugins(run):
    """What the web page is served from."""
    reader = plugin_event_accumulator.EventAccumulator(
        str(run.path / "tensorboard"), tensor_size_guidance={"scalars": 0, "text": 0, "hparams": 0})
    reader.Reload()
    names = reader.PluginTagToContent("scalars")
    check_scalars(run, {name: [(event.step, tensor_util.make_ndarray(event.tensor_proto).item())
                               for event in reader.Tensors(name)] for name in names})
    check_texts(run, reader)
    check_config(reader)


logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells which steps it dropped
example = Run(program_of(sys.argv), 5000)
check_accumulator(example)
check_plugins(example)
print(f"{sum(map(len, example.scalars.values()))} scalars and {len(example.texts)} texts are equal")

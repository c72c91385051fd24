"""Build MediaPipe's model bundle (`.task`) out of the two BlazePose networks.

A bundle is a zip archive, members stored and aligned to 64 bytes, of `pose_detector.tflite` and
`pose_landmarks_detector.tflite`. The landmark network must say how its input is normalised
(mean 0, deviation 255), in a metadata buffer that the bare file lacks; it is added here with MediaPipe's own
schema. The same inputs give the same bytes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

from imusim.assets import ASSETS, asset, cache_folder
from imusim.atomic import written_together
from imusim.errors import AssetError, MissingExtra, unknown_name

MODELS = ("lite", "full", "heavy")
_FORMAT = 1  # raise it when the bytes written below change


def pose_task(model: str | Path = "full") -> Path:
    """Return the path of a `.task` bundle: "lite", "full" or "heavy" (built once, cached), or a file as given.

    Raises
    ------
    AssetError
        If a network of the bundle is neither cached nor can be fetched, or the given file does not exist.
    UnknownNameError
        If it is neither a name nor a path to a `.task` file.
    MissingExtra
        If mediapipe or flatbuffers is not installed.
    """
    if str(model) not in MODELS:
        path = Path(model).expanduser()
        if path.is_file():
            return path
        if path.suffix == ".task" or os.sep in str(model):
            raise AssetError(f"pose model {path}: no such file. Give lite, full, heavy, or a .task file.")
        raise unknown_name("pose model", str(model), MODELS)
    detector, landmarks = ASSETS["pose_detector"], ASSETS[f"pose_{model}"]
    networks = (asset("pose_detector"), asset(f"pose_{model}"))
    overridden = any(
        os.environ.get(f"IMUSIM_ASSET_{n}") for n in ("POSE_DETECTOR", f"POSE_{str(model).upper()}")
    )
    key = f"{detector.sha256[:8]}-{landmarks.sha256[:8]}-{_FORMAT}"
    target = cache_folder() / f"pose_landmarker_{model}-{key}.task"
    if overridden:
        key = "-".join(f"{p.stat().st_size}-{p.stat().st_mtime_ns}" for p in networks)
        target = cache_folder() / f"pose_landmarker_{model}-{key}-{_FORMAT}.task"
    if not _is_bundle(target):
        with tempfile.TemporaryDirectory(prefix="imusim-") as folder:
            built = Path(folder) / "pose.task"
            write_bundle(built, networks[0].read_bytes(), with_normalization(networks[1].read_bytes()))
            try:
                with written_together(target) as (partial,):
                    shutil.copyfile(built, partial)
            except OSError as error:
                raise AssetError(
                    f"cannot write {target}: {error}. Set IMUSIM_CACHE to a writable folder."
                ) from None
    return target


def write_bundle(path: Path, detector: bytes, landmarks: bytes) -> None:
    """Write the two networks as a stored zip whose members start at multiples of 64 bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in (("pose_detector.tflite", detector), ("pose_landmarks_detector.tflite", landmarks)):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            assert bundle.fp is not None
            header = bundle.fp.tell() + 30 + len(name.encode())
            pad = -(header + 4) % 64  # an extra field (id, length, zeros) fills up to the boundary
            info.extra = struct.pack("<HH", 0xD935, pad) + bytes(pad)
            bundle.writestr(info, data)


def with_normalization(network: bytes, mean: float = 0.0, deviation: float = 255.0) -> bytes:
    """Return the TFLite file with TFLITE_METADATA that states the input image's normalisation.

    x = (pixel − mean) / deviation, per MediaPipe's metadata schema (`NormalizationOptions`).
    """
    schema, meta = _schema("schema_py_generated"), _schema("metadata_schema_py_generated")
    try:
        import flatbuffers
    except ImportError:
        raise MissingExtra("video", "Building the pose model") from None

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(network, 0))
    graph = model.subgraphs[0]

    def tensor_metadata(index: int) -> Any:
        item = meta.TensorMetadataT()
        item.name = graph.tensors[index].name.decode()
        return item

    image = tensor_metadata(graph.inputs[0])
    image.content = meta.ContentT()
    image.content.contentPropertiesType = meta.ContentProperties.ImageProperties
    image.content.contentProperties = meta.ImagePropertiesT()
    image.content.contentProperties.colorSpace = meta.ColorSpaceType.RGB
    unit = meta.ProcessUnitT()
    unit.optionsType = meta.ProcessUnitOptions.NormalizationOptions
    unit.options = meta.NormalizationOptionsT()
    unit.options.mean, unit.options.std = [mean], [deviation]
    image.processUnits = [unit]
    inner = meta.SubGraphMetadataT()
    inner.inputTensorMetadata = [image]
    inner.outputTensorMetadata = [tensor_metadata(i) for i in graph.outputs]
    whole = meta.ModelMetadataT()
    whole.name = "pose landmarks"
    whole.subgraphMetadata = [inner]

    builder = flatbuffers.Builder(0)
    builder.Finish(whole.Pack(builder), b"M001")
    buffer = schema.BufferT()
    buffer.data = list(builder.Output())
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(network) + 65536)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _schema(name: str) -> ModuleType:
    """Load one of MediaPipe's schema modules by its file, so that its native library stays unloaded."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("video", "Building the pose model")
    path = Path(next(iter(spec.submodule_search_locations))) / "tasks" / "metadata" / f"{name}.py"
    module_spec = importlib.util.spec_from_file_location(f"_imusim_{name}", path)
    if not path.is_file() or module_spec is None or module_spec.loader is None:
        raise AssetError(
            f"this mediapipe has no {path}. Install the tested one: pip install mediapipe==0.10.33"
        )
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    module_spec.loader.exec_module(module)
    return module


def _is_bundle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as bundle:
            return bundle.testzip() is None and len(bundle.namelist()) == 2
    except (OSError, zipfile.BadZipFile):
        return False

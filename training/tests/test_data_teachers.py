"""Teachers beside the 3D-LUT peer: AdaInt's uneven vertices and SepLUT's curves, against plain loops."""

import bisect
from pathlib import Path

import pytest
import torch

from veraretouch.data.files import DataError
from veraretouch.data.teachers import AdaptiveLut, load_teachers, together

torch.set_num_threads(1)
WIDTHS, VERTICES = (4, 6, 8, 10, 10), 5


def _checkpoint(path: Path, uneven: bool) -> AdaptiveLut:
    """A published file's names with random weights, and the network that they belong to."""
    torch.manual_seed(3 + uneven)
    teacher = AdaptiveLut(WIDTHS, VERTICES, uneven)
    for parameter in teacher.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    generator, before = ("lut_generator", "adaint.intervals_generator") if uneven else ("lut3d_generator", "lut1d_generator.lut1d_generator")
    names = {"weights.": f"{generator}.weights_generator.", "basis.": f"{generator}.basis_luts_bank.", "before.": f"{before}."}
    state = {}
    for name, value in teacher.state_dict().items():
        prefix = next((p for p in names if name.startswith(p)), "")
        state[names.get(prefix, "") + name.removeprefix(prefix)] = value
    # Published files hold counters that no network needs.
    torch.save({"meta": {}, "state_dict": {**state, "cnt_iters": torch.zeros(1)}}, path)
    return teacher


def _lut_at(lut: torch.Tensor, place: list[float]) -> torch.Tensor:
    """Trilinear interpolation of lut [3, b, g, r] at a place (r, g, b) in vertices, by eight corners."""
    low = [min(int(p), VERTICES - 2) for p in place]
    out = torch.zeros(3)
    for corner in range(8):
        at, weight = [], 1.0
        for axis in range(3):
            up = corner >> axis & 1
            share = place[axis] - low[axis]
            weight *= share if up else 1 - share
            at.append(low[axis] + up)
        out += weight * lut[:, at[2], at[1], at[0]]
    return out


@pytest.mark.parametrize("uneven", [True, False], ids=["adaint", "seplut"])
def test_a_published_file_is_read_and_applied_as_described(tmp_path: Path, uneven: bool) -> None:
    original = _checkpoint(tmp_path / "t.pth", uneven)
    teacher = AdaptiveLut.load(tmp_path / "t.pth")
    assert teacher.uneven == uneven and teacher.vertices == VERTICES
    assert all(torch.equal(a, b) for a, b in zip(teacher.state_dict().values(), original.state_dict().values(), strict=True))
    image, colours = torch.rand(1, 3, 40, 60), torch.rand(1, 9, 3)
    colours[0, 0], colours[0, 1] = torch.zeros(3), torch.ones(3)
    luts, before = teacher.plan(image)
    out = teacher.colours(colours, (luts, before))
    for colour, got in zip(colours[0].tolist(), out[0], strict=True):
        place = []
        for axis, value in enumerate(colour):
            points = before[0, axis].tolist()
            if uneven:
                left = min(max(bisect.bisect_right(points, value) - 1, 0), VERTICES - 2)
                place.append(left + min(1.0, (value - points[left]) / (points[left + 1] - points[left])))
            else:
                left = min(int(value * (VERTICES - 1)), VERTICES - 2)
                share = value * (VERTICES - 1) - left
                place.append((points[left] * (1 - share) + points[left + 1] * share) * (VERTICES - 1))
        torch.testing.assert_close(got, _lut_at(luts[0], place).clamp(0, 1), rtol=1e-4, atol=1e-5)


def test_uneven_vertices_span_the_whole_range_in_order(tmp_path: Path) -> None:
    _checkpoint(tmp_path / "t.pth", True)
    _, vertices = AdaptiveLut.load(tmp_path / "t.pth").plan(torch.rand(2, 3, 30, 30))
    assert torch.all(vertices[..., 0] == 0) and torch.allclose(vertices[..., -1], torch.ones(2, 3))
    assert torch.all(vertices.diff(dim=2) > 0)


def test_missing_strange_and_unknown_teachers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no teacher 'vgg'"):
        load_teachers(tmp_path, ["vgg"])
    with pytest.raises(DataError, match="cannot be read"):
        load_teachers(tmp_path, ["adaint"])
    (tmp_path / "x.pth").write_bytes(b"no checkpoint")
    with pytest.raises(DataError, match="cannot be read"):
        AdaptiveLut.load(tmp_path / "x.pth")
    torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "x.pth")
    with pytest.raises(DataError, match="cannot be read"):
        AdaptiveLut.load(tmp_path / "x.pth")


def test_together_keeps_teachers_apart(tmp_path: Path) -> None:
    teachers = {}
    for name, uneven in (("a", True), ("b", False)):
        _checkpoint(tmp_path / f"{name}.pth", uneven)
        teachers[name] = AdaptiveLut.load(tmp_path / f"{name}.pth")
    images, colours = torch.rand(2, 3, 33, 44), torch.rand(2, 7, 3)
    views = together(teachers, images, colours)
    assert views.shape == (2, 2, 7, 3) and (views[0] - views[1]).abs().max() > 0.01
    alone = teachers["b"].colours(colours[1:], teachers["b"].plan(images[1:]))
    torch.testing.assert_close(views[1, 1:], alone)

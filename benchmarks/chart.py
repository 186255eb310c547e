"""The chart in the README: our rate as a share of raw COPY's, format by format."""

from pathlib import Path

from benchmarks.figures import Figures, Sample

_WIDTH, _ROW, _LEFT, _SCALE = 760, 30, 300, 400


def draw(figures: Figures, path: Path) -> None:
    """Writes an SVG with a bar for each ratio; a line marks 1.0."""
    samples = figures.samples
    height = _ROW * (len(samples) + 2)
    bars = "".join(_bar(sample, _ROW * (row + 1)) for row, sample in enumerate(samples))
    one = _LEFT + _SCALE
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="system-ui, sans-serif" font-size="13" role="img">'
        "<title>Speed of Sluice against the reference of each row; 1.0 is as fast</title>"
        f'<rect width="100%" height="100%" fill="#ffffff"/>{bars}'
        f'<line x1="{one}" x2="{one}" y1="{_ROW // 2}" y2="{height - _ROW // 2}" stroke="#555555" stroke-dasharray="4 3"/>'
        f'<text x="{one}" y="{height - 6}" text-anchor="middle" fill="#555555">1.0: the reference</text></svg>\n'
    )


def _bar(sample: Sample, y: int) -> str:
    width = int(_SCALE * min(sample.ratio, 1.1))
    return (
        f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end" fill="#222222">{sample.what}</text>'
        f'<rect x="{_LEFT}" y="{y + 2}" width="{width}" height="18" rx="2" fill="#2a78b5"/>'
        f'<text x="{_LEFT + width + 6}" y="{y + 15}" fill="#222222">{sample.ratio:.2f}</text>'
    )

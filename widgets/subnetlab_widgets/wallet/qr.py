"""An address as a QR code: one SVG path, drawn by the library that the SDK brings along."""

from functools import lru_cache


@lru_cache(maxsize=64)
def qr_path(text: str) -> tuple[int, str]:
    """The side of the code in modules, quiet zone included, and its dark modules as a path of an SVG."""
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415  (only where an address is shown)
    from qrcode.main import QRCode  # noqa: PLC0415

    code = QRCode(error_correction=ERROR_CORRECT_M, border=2)
    code.add_data(text, optimize=0)
    rows = code.get_matrix()
    dark = [(x, y) for y, row in enumerate(rows) for x, on in enumerate(row) if on]
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)

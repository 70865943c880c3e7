"""Make the pictures of docs/images again, from the examples: python docs/pictures.py FOLDER

Needs LibreOffice and poppler. Look at every picture before it is copied into docs/images.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import openpyxl
from PIL import Image, ImageChops

from kpixl.cli.main import run

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SAST = EXAMPLES / "sast-2026"


def picture(folder: Path, source: Path, name: str, page: int = 1, dpi: int = 90) -> None:
    """Print one page of a file, and keep what is on it as a picture of at most 64 colors."""
    if source.suffix != ".pdf":
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        made = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(source)]
        subprocess.run(made, check=True, capture_output=True)
        source = folder / f"{source.stem}.pdf"
    pages = ["-f", str(page), "-l", str(page), "-r", str(dpi), "-png"]
    content = subprocess.run(["pdftoppm", *pages, str(source)], check=True, capture_output=True).stdout
    image = Image.open(io.BytesIO(content)).convert("RGB")
    foot = (0, int(image.height * 0.93), *image.size)  # the number of the page
    image.paste("white", foot)
    left, top, right, bottom = ImageChops.invert(image).getbbox() or (0, 0, *image.size)
    edges = (max(left - 12, 0), max(top - 12, 0), min(right + 12, image.width), min(bottom + 12, image.height))
    image.crop(edges).quantize(64, dither=Image.Dither.NONE).save(folder / name, optimize=True)


def widened(path: Path, area: str) -> None:
    """Print a project's sheet as the screen shows it: with the status beside the form, without the footer."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    sheet.print_area = area
    sheet.page_setup.orientation = "landscape"
    for one in book.worksheets:
        one.oddFooter.center.text = ""
    book.save(path)


def begun(path: Path) -> Path:
    """Write a workbook that somebody has begun to fill in, not all of it right."""
    run(["template", str(SAST / "2026.yaml"), "-o", str(path)])
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    sheet["B5"], sheet["E11"], sheet["G13"] = "明年年初", "完成XX", None
    book.save(path)
    return path


def main(folder: Path) -> None:
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    form = begun(folder / "form.xlsx")
    widened(form, "A1:I20")
    picture(folder, form, "template-first-sheet.png", 1)
    picture(folder, form, "template-form.png", 2, 100)

    returned = folder / "returned"
    returned.mkdir(exist_ok=True)
    begun(returned / "绩效目标.xlsx")
    run(["check", str(returned), "--roster", str(SAST / "roster.yaml"), "--mark", str(folder / "marked")])
    marked = folder / "marked" / "绩效目标.xlsx"
    picture(folder, marked, "marked-list.png", 1)
    pdf = folder / f"{marked.stem}.pdf"
    picture(folder, pdf, "marked-form.png", marked_page(pdf))

    picture(folder, SAST / "2026.xlsx", "summary-overview.png", 1)
    picture(folder, SAST / "2026.xlsx", "summary-table.png", 3, 110)
    picture(folder, SAST / "2026.xlsx", "summary-forms.png", 8)
    run(["publish", str(SAST / "2026.yaml"), "-o", str(folder / "publication.pdf")])
    picture(folder, folder / "publication.pdf", "publication.png", 2)
    flat = EXAMPLES / "sichuan-target-2026" / "2026.xlsx"
    picture(folder, flat, "flat-table.png", 6)


def marked_page(pdf: Path) -> int:
    """Return the page on which the first form of a marked copy is; the list before it has several."""
    shown = subprocess.run(["pdftotext", str(pdf), "-"], check=True, capture_output=True).stdout.decode()
    return next(n for n, text in enumerate(shown.split("\f"), 1) if "(2026 年度)" in text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

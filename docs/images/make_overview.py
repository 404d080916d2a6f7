"""Join four figures of the default study into docs/images/overview.png, the picture of the README."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
ROWS = (("oxide_snapshot", "suboxide_populations"), ("density_vs_temperature", "radial_distribution"))
WIDTH, GAP = 1600, 40


def main() -> None:
    """Scale the figures of each row to one height so that every row has the same width."""
    rows = []
    for names in ROWS:
        pictures = [Image.open(ROOT / "results" / "figures" / f"{name}.png").convert("RGB") for name in names]
        height = round((WIDTH - GAP * (len(names) - 1)) / sum(picture.width / picture.height for picture in pictures))
        scaled = [picture.resize((round(picture.width * height / picture.height), height)) for picture in pictures]
        row = Image.new("RGB", (WIDTH, height), "white")
        left = 0
        for picture in scaled:
            row.paste(picture, (left, 0))
            left += picture.width + GAP
        rows.append(row)
    page = Image.new("RGB", (WIDTH, sum(row.height for row in rows) + GAP * (len(rows) - 1)), "white")
    top = 0
    for row in rows:
        page.paste(row, (0, top))
        top += row.height + GAP
    page.save(Path(__file__).with_name("overview.png"), optimize=True)


if __name__ == "__main__":
    main()

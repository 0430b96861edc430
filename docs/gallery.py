"""Write the gallery: a card an example with its picture, and a page with its code.

The pictures in `docs/gallery` are made by the examples themselves:
`python docs/gallery.py FOLDER` makes them out of what the examples left in FOLDER.
"""

import ast
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"
WIDTH, COLOURS = 640, 48  # pixels of a picture, colours of its palette
# The picture of an example that has several, or that is not called like it.
PICTURES = {
    "choose_a_likelihood": "reliability",
    "sensitivity_of_the_hydrograph": "sensitivity",
}


def gallery_pages() -> dict[str, str]:
    """Return the text of the gallery and of the page of each example, by name."""
    cards, pages = [], {}
    for path in sorted(EXAMPLES.glob("*.py")):
        name, code = path.stem, path.read_text(encoding="utf-8")
        title, about = name.replace("_", " ").capitalize(), ast.get_docstring(ast.parse(code)) or ""
        picture = f"../gallery/{name}.png"
        drawn = (DOCS / "gallery" / f"{name}.png").exists()
        cards.append(
            f":::{{grid-item-card}} {title}\n:link: example_{name}\n:link-type: doc\n"
            + f":img-top: {picture}\n:img-alt: {title}\n" * drawn
            + f"\n{about.splitlines()[0]}\n:::\n"
        )
        pages[f"example_{name}"] = (
            f"# {title}\n\n{about}\n\n"
            + f"![What the example draws]({picture})\n\n" * drawn
            + f"```python\n{code}```\n\n"
            "[All examples](gallery.md)\n"
        )
    pages["gallery"] = (
        "# Examples\n\nEach is a program of less than sixty lines that runs as it stands, on a "
        "record inside the package.\n\n::::{grid} 1 2 3 3\n:gutter: 3\n\n"
        + "\n".join(cards)
        + "\n::::\n\n```{toctree}\n:hidden:\n\n"
        + "\n".join(pages)
        + "\n```\n"
    )
    return pages


def make_pictures(folder: Path) -> None:
    """Write a light picture of each example, from the one that it drew below `folder`."""
    from PIL import Image

    for path in sorted(EXAMPLES.glob("*.py")):
        drawn = next(folder.rglob(f"{PICTURES.get(path.stem, path.stem)}.png"))
        picture = Image.open(drawn).convert("RGB")
        picture = picture.resize(
            (WIDTH, round(picture.height * WIDTH / picture.width)), Image.LANCZOS
        )
        small = picture.quantize(COLOURS)
        small.save(DOCS / "gallery" / f"{path.stem}.png", optimize=True)


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]))

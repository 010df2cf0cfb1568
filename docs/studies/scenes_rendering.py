"""Scenes with exact labels: a robot at its table, rendered by MuJoCo.

Ten environments of Meta-World, the arm moved and the objects placed by chance, the camera anywhere
before the table. Segmentation and depth are the renderer's own; normals follow from depth, and are
left out where a pixel and its neighbours do not belong to one surface.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scenes_folders import write_scene

CLASSES = ("background", "table", "wall", "robot", "gripper", "object")
MISSING = (
    'scenes are rendered by MuJoCo: run pip install "bargain-solvers[studies-rl]" and, without a '
    "screen, apt-get install libosmesa6 with MUJOCO_GL=osmesa set (or MUJOCO_GL=egl)"
)
FAR = 4.0  # metres; what is farther counts as background
VIEWS = 8  # from one state of an environment


class View(NamedTuple):
    """Pictures of shape (H, W, channels), classes of shape (H, W)."""

    image: np.ndarray
    label: np.ndarray
    depth: np.ndarray
    normal: np.ndarray


def render(
    root: Path, counts: dict[str, int], side: int, seed: int, tick: Callable[[], object]
) -> None:
    """Write so many scenes of each split, square pictures of so many pixels a side."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's deprecations
            import metaworld
            import mujoco

            benchmark = metaworld.MT10(seed=seed)
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error.name} is missing; {MISSING}") from None
    dice = np.random.default_rng(seed)
    places = dict.fromkeys(counts, 0)
    names = list(benchmark.train_classes)
    renderers, environments = {}, {}
    for name in names:
        environments[name] = benchmark.train_classes[name]()
        renderers[name] = _renderer(mujoco, environments[name].model, side)
    tasks = {name: [x for x in benchmark.train_tasks if x.env_name == name] for name in names}
    while any(places[split] < counts[split] for split in counts):
        for name in names:
            environment = environments[name]
            environment.set_task(tasks[name][dice.integers(len(tasks[name]))])
            environment.reset()
            for _ in range(dice.integers(5, 40)):
                environment.step(dice.uniform(-1, 1, size=4).astype(np.float32))
            # The whole state goes into one split, so that no view of it is known from training.
            left = {split: counts[split] - places[split] for split in counts}
            total = sum(left.values())
            if not total:
                break
            split = dice.choice(list(left), p=[part / total for part in left.values()])
            for _ in range(min(VIEWS, left[split])):
                view = _look(mujoco, environment, renderers[name], dice)
                write_scene(root, str(split), places[split], *view)
                places[split] += 1
                tick()
    for renderer in renderers.values():
        renderer.close()


def _renderer(mujoco, model, side: int):
    # Colours may be blended at edges, but not the numbers of geometries.
    model.vis.quality.offsamples = 0
    try:
        renderer = mujoco.Renderer(model, side, side)
    except Exception as error:  # each way of drawing without a screen fails in a way of its own
        raise SystemExit(f"no renderer ({error}); {MISSING}") from None
    for effect in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
        renderer.scene.flags[effect] = 0  # they take twenty times as long as all the rest
    return renderer


def _look(mujoco, environment, renderer, dice: np.random.Generator) -> View:
    camera, options = mujoco.MjvCamera(), mujoco.MjvOption()
    options.sitegroup[:] = 0  # goals are drawn as sites, and nobody could see them
    camera.lookat[:] = dice.uniform((-0.2, 0.5, 0.0), (0.2, 0.8, 0.2))
    camera.distance = dice.uniform(0.7, 1.6)
    camera.azimuth, camera.elevation = dice.uniform(200, 340), dice.uniform(-60, -15)

    def shot():
        renderer.update_scene(environment.data, camera, options)
        return renderer.render().copy()

    image = shot()
    renderer.enable_segmentation_rendering()
    seen = shot()
    renderer.disable_segmentation_rendering()
    renderer.enable_depth_rendering()
    depth = shot()
    renderer.disable_depth_rendering()
    geoms = np.where(seen[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM), seen[..., 0], -1)
    label = classes_of(environment.model)[geoms]
    known = (label > 0) & (depth < FAR)
    normal = normals_of(depth, geoms, float(environment.model.vis.global_.fovy))
    return View(
        (image / 255).astype(np.float32),
        label.astype(np.int8),
        np.where(known, depth, 0.0).astype(np.float32)[..., None],
        np.where(known[..., None], normal, 0.0).astype(np.float32),
    )


def classes_of(model) -> np.ndarray:
    """The class of every geom, with that of the sky, which has number -1, at the end."""
    classes = np.zeros(model.ngeom + 1, dtype=np.int64)
    for geom in range(model.ngeom):
        body = model.geom_bodyid[geom]
        above = []
        while body:
            above.append(model.body(body).name)
            body = model.body_parentid[body]
        if "hand" in above:
            classes[geom] = CLASSES.index("gripper")
        elif "base" in above:
            classes[geom] = CLASSES.index("robot")
        elif "tablelink" in above:
            classes[geom] = CLASSES.index("table")
        elif "RetainingWall" in above:
            classes[geom] = CLASSES.index("wall")
        elif above:
            classes[geom] = CLASSES.index("object")
    return classes


def normals_of(depth: np.ndarray, surface: np.ndarray, field_of_view: float) -> np.ndarray:
    """Unit normals (H, W, 3) towards the camera; zero where neighbours are of another surface."""
    height, width = depth.shape
    focal = height / 2 / np.tan(np.radians(field_of_view) / 2)
    y, x = np.mgrid[:height, :width]
    across, down = (x + 0.5 - width / 2) / focal, (y + 0.5 - height / 2) / focal
    points = np.stack([across * depth, down * depth, depth], axis=-1)
    normal = np.zeros_like(points)
    middle = (slice(1, -1), slice(1, -1))
    along = points[1:-1, 2:] - points[1:-1, :-2]
    below = points[2:, 1:-1] - points[:-2, 1:-1]
    normal[middle] = np.cross(below, along)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    same = np.zeros(depth.shape, dtype=bool)
    same[middle] = (
        (surface[1:-1, 2:] == surface[middle])
        & (surface[1:-1, :-2] == surface[middle])
        & (surface[2:, 1:-1] == surface[middle])
        & (surface[:-2, 1:-1] == surface[middle])
    )
    usable = same[..., None] & (length > 0)
    return np.where(usable, normal / np.where(length > 0, length, 1.0), 0.0)

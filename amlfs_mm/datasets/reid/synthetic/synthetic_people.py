"""Drawn pedestrians, as six cameras would see them.

Identities differ by clothes, build and what they carry. There are few colours, so that many people
share some. Each camera has its own colour cast, blur, noise, background, viewpoint and occlusion.
The boxes around the people are as inexact as a detector's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

HEIGHT, WIDTH = 128, 64
FINE = 2  # images are drawn this many times larger, for smooth edges

# RGB
CLOTHES = [
    (30, 30, 35), (235, 235, 230), (120, 120, 125), (190, 35, 40), (40, 70, 170), (45, 120, 60),
    (225, 195, 60), (120, 70, 40), (140, 60, 140), (235, 140, 60), (110, 170, 215), (235, 150, 180),
]  # fmt: skip
SKINS = [(240, 205, 180), (225, 175, 140), (180, 125, 90), (110, 75, 50)]
HAIRS = [(25, 20, 20), (85, 55, 35), (190, 150, 80), (150, 150, 150)]


@dataclass
class Look:
    """What stays the same about a person."""

    skin: tuple
    hair: tuple
    long_hair: bool
    top: tuple
    second: tuple
    pattern: str
    long_sleeves: bool
    lower: tuple
    lower_kind: str
    shoes: tuple
    bag: str
    bag_colour: tuple
    build: float
    """Width, 1 on average."""
    tallness: float


@dataclass
class Camera:
    """What all of a camera's images share."""

    gain: np.ndarray
    """(3,) of the colour channels."""
    gamma: float
    blur: float
    noise: float
    ground: np.ndarray
    wall: np.ndarray
    views: np.ndarray
    """(3,) probabilities of front, back, side."""
    occlusion: float
    """Probability."""
    shrink: float
    """How many times smaller the person was in the video."""


def draw_look(draw: np.random.Generator) -> Look:
    """A random person."""

    def pick(options: list) -> tuple:
        return options[draw.integers(len(options))]

    return Look(
        skin=pick(SKINS),
        hair=pick(HAIRS),
        long_hair=bool(draw.random() < 0.4),
        top=pick(CLOTHES),
        second=pick(CLOTHES),
        pattern=pick(['plain', 'plain', 'plain', 'stripes', 'halves']),
        long_sleeves=bool(draw.random() < 0.5),
        lower=pick(CLOTHES[:8]),
        lower_kind=pick(['trousers', 'trousers', 'shorts', 'skirt']),
        shoes=pick(CLOTHES[:4]),
        bag=pick(['none', 'none', 'backpack', 'handbag']),
        bag_colour=pick(CLOTHES),
        build=float(draw.uniform(0.82, 1.2)),
        tallness=float(draw.uniform(0.9, 1.05)),
    )


def draw_camera(draw: np.random.Generator) -> Camera:
    """A random camera."""
    return Camera(
        gain=draw.uniform(0.72, 1.25, 3),
        gamma=float(draw.uniform(0.75, 1.35)),
        blur=float(draw.uniform(0.3, 1.1)),
        noise=float(draw.uniform(3, 9)),
        ground=draw.uniform(70, 190, 3),
        wall=draw.uniform(60, 220, 3),
        views=draw.dirichlet([1.0, 1.0, 1.0]),
        occlusion=float(draw.uniform(0.05, 0.4)),
        shrink=float(draw.uniform(1.0, 2.0)),
    )


def draw_image(look: Look, camera: Camera, draw: np.random.Generator) -> np.ndarray:
    """One image of a person by a camera, (128, 64, 3) uint8 RGB."""
    image = draw_background(camera, draw)
    draw_figure(image, look, draw.choice(['front', 'back', 'side'], p=camera.views), draw)
    if draw.random() < camera.occlusion:
        occlude(image, draw)
    return develop(image, camera, draw)


def draw_background(camera: Camera, draw: np.random.Generator) -> np.ndarray:
    """A wall, the ground, and clutter, at FINE times the size."""
    height, width = HEIGHT * FINE, WIDTH * FINE
    image = np.empty((height, width, 3), np.uint8)
    horizon = int(height * draw.uniform(0.3, 0.7))
    image[:horizon] = np.clip(camera.wall + draw.normal(0, 15, 3), 0, 255)
    image[horizon:] = np.clip(camera.ground + draw.normal(0, 15, 3), 0, 255)
    for _ in range(draw.integers(2, 7)):
        x, y = int(draw.integers(width)), int(draw.integers(height))
        size = draw.integers(8, 70, 2)
        colour = np.clip(camera.wall + draw.normal(0, 45, 3), 0, 255)
        cv2.rectangle(image, (x, y), (x + int(size[0]), y + int(size[1])), colour.tolist(), -1)
    return image


def draw_figure(image: np.ndarray, look: Look, view: str, draw: np.random.Generator) -> None:
    """The person, somewhere near the middle, walking; a side view is narrower."""
    height, width = image.shape[:2]
    tall = height * 0.86 * look.tallness * draw.uniform(0.88, 1.08)
    wide = width * 0.3 * look.build * (0.75 if view == 'side' else 1) * draw.uniform(0.93, 1.07)
    middle = width / 2 + width * draw.normal(0, 0.05)
    head_top = (height - tall) / 2 + height * draw.normal(0, 0.025)

    def y(share: float) -> float:
        return head_top + share * tall

    def box(x0: float, y0: float, x1: float, y1: float, colour: tuple) -> None:
        shade = draw.uniform(0.92, 1.06)
        colour = [min(255.0, channel * shade) for channel in colour]
        corners = (round(x0), round(y0)), (round(x1), round(y1))
        cv2.rectangle(image, *corners, colour, -1)

    def disc(x: float, y0: float, rx: float, ry: float, colour: tuple) -> None:
        cv2.ellipse(
            image, (round(x), round(y0)), (round(rx), round(ry)), 0, 0, 360, colour, -1, cv2.LINE_AA
        )

    if look.bag == 'backpack' and view == 'front':  # only its edges show
        box(middle - wide * 0.62, y(0.2), middle + wide * 0.62, y(0.42), look.bag_colour)
    # Legs and shoes.
    stride = wide * draw.uniform(0, 0.5 if view == 'side' else 0.2)
    for side in (-1, 1):
        x = middle + side * (wide * 0.24 + stride)
        skin_from = dict(trousers=1.0, shorts=0.7, skirt=0.68)[look.lower_kind]
        box(x - wide * 0.17, y(0.55), x + wide * 0.17, y(0.95), look.skin)
        box(x - wide * 0.2, y(0.5), x + wide * 0.2, y(min(skin_from, 0.95)), look.lower)
        box(x - wide * 0.22, y(0.94), x + wide * 0.22, y(1.0), look.shoes)
    if look.lower_kind == 'skirt':
        box(middle - wide * 0.55, y(0.48), middle + wide * 0.55, y(0.68), look.lower)
    # Arms, then the body over them.
    for side in (-1, 1):
        x = middle + side * wide * 0.58
        box(x - wide * 0.12, y(0.17), x + wide * 0.12, y(0.5), look.skin)
        end = 0.47 if look.long_sleeves else 0.27
        box(x - wide * 0.14, y(0.16), x + wide * 0.14, y(end), look.top)
    box(middle - wide * 0.5, y(0.15), middle + wide * 0.5, y(0.52), look.top)
    if look.pattern == 'stripes':
        for top in np.arange(0.19, 0.5, 0.08):
            box(middle - wide * 0.5, y(top), middle + wide * 0.5, y(top + 0.035), look.second)
    elif look.pattern == 'halves' and view != 'back':
        box(middle - wide * 0.5, y(0.33), middle + wide * 0.5, y(0.52), look.second)
    # Head.
    disc(middle, y(0.075), wide * 0.3, tall * 0.07, look.skin)
    face = dict(front=0.045, back=0.09, side=0.06)[view]
    disc(middle, y(0.04), wide * 0.31, tall * face, look.hair)
    if look.long_hair:
        for side in (-1, 1) if view == 'front' else (-1, 0, 1):
            x = middle + side * wide * 0.25
            box(x - wide * 0.1, y(0.05), x + wide * 0.1, y(0.18), look.hair)
    # What is carried.
    if look.bag == 'backpack' and view != 'front':
        shift = wide * 0.4 if view == 'side' else 0
        x = middle + shift
        box(x - wide * 0.36, y(0.18), x + wide * 0.36, y(0.43), look.bag_colour)
    elif look.bag == 'handbag':
        x = middle + wide * 0.7 * (1 if view != 'back' else -1)
        box(x - wide * 0.22, y(0.46), x + wide * 0.22, y(0.58), look.bag_colour)


def occlude(image: np.ndarray, draw: np.random.Generator) -> None:
    """Cover a part of the image, from below (as a car does) or from a side (as a pole does)."""
    height, width = image.shape[:2]
    colour = CLOTHES[draw.integers(len(CLOTHES))]
    if draw.random() < 0.5:
        image[int(height * draw.uniform(0.6, 0.85)) :] = colour
    else:
        share = int(width * draw.uniform(0.2, 0.42))
        part = slice(0, share) if draw.random() < 0.5 else slice(width - share, width)
        image[int(height * draw.uniform(0, 0.3)) :, part] = colour


def develop(image: np.ndarray, camera: Camera, draw: np.random.Generator) -> np.ndarray:
    """Cut an inexact box, then apply the camera's blur, colours and noise; (128, 64, 3)."""
    height, width = image.shape[:2]
    x, y = (int(draw.integers(0, size // 12)) for size in (width, height))
    right, bottom = (size - int(draw.integers(0, size // 12)) for size in (width, height))
    small = (round(WIDTH / camera.shrink), round(HEIGHT / camera.shrink))
    image = cv2.resize(image[y:bottom, x:right], small, interpolation=cv2.INTER_AREA)
    image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    if draw.random() < 0.5:
        image = image[:, ::-1]
    light = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), camera.blur) / 255
    light = light**camera.gamma * camera.gain * draw.uniform(0.8, 1.15)
    return np.clip(255 * light + draw.normal(0, camera.noise, light.shape), 0, 255).astype(np.uint8)

#!/usr/bin/env python3
"""Makes Tests/ImagesTests/Goldens: one small real image in every kind that the Images room reads,
each with what Pillow makes of it.

    python3 -m venv venv && venv/bin/pip install pillow numpy
    apt-get download openclipart-png && dpkg -x openclipart-png_*.deb debian
    venv/bin/python Tests/Peers/make_image_goldens.py debian/usr/share/openclipart/png

KIND.jpg|png|webp      the image (public-domain art of openclipart, made small)
KIND.32x32.rgb         Pillow: onto white, then resize((32, 32), BICUBIC); raw bytes, rows of RGB
KIND.48x12.rgb         the same in another shape

Needs libturbojpeg for the YCCK file, which Pillow cannot write. The committed files were made with
Pillow 13.0.0; other versions of its codecs give other bytes.
"""

import ctypes
import ctypes.util
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

GOLDENS = Path(__file__).resolve().parent.parent / "ImagesTests" / "Goldens"
SIZES = [(32, 32), (48, 12)]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def on_white(image):
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def save(name, data, peer=None):
    """`peer` stands for the file where Pillow doesn't read it as everybody else does."""
    (GOLDENS / name).write_bytes(data)
    flat = on_white(peer or Image.open(io.BytesIO(data)))
    for width, height in SIZES:
        pixels = flat.resize((width, height), Image.Resampling.BICUBIC).tobytes()
        (GOLDENS / f"{Path(name).stem}.{width}x{height}.rgb").write_bytes(pixels)


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# PNG kinds that Pillow does not write: 16 bits and Adam7.


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(samples, color_type, bits, interlaced=False, palette=b"", transparency=b""):
    """`samples`: [height, width, channels] of whole numbers; each row unfiltered."""
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = b""
    for x, y, dx, dy in passes:
        for row in samples[y::dy, x::dx]:
            if row.size:
                rows += b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette) if palette else b"")
        + (chunk(b"tRNS", transparency) if transparency else b"")
        + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


# JPEG kinds that Pillow does not write.


def ycck(cmyk):
    """TurboJPEG turns CMYK into YCCK; Adobe's way is to give it inverted."""
    turbo = ctypes.CDLL(ctypes.util.find_library("turbojpeg"))
    turbo.tjInitCompress.restype = ctypes.c_void_p
    pixels = (255 - np.asarray(cmyk)).astype(np.uint8).tobytes()
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    status = turbo.tjCompress2(
        ctypes.c_void_p(turbo.tjInitCompress()), pixels, cmyk.width, 0, cmyk.height, 11,
        ctypes.byref(out), ctypes.byref(size), 0, 90, 0)
    assert status == 0
    return ctypes.string_at(out.value, size.value)


def without_adobe_marker(data):
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]:]


# A WebP animation whose first frame is smaller than the canvas.


def riff(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def u24(value):
    return struct.pack("<I", value)[:3]


def offset_animation(image, left, top, canvas):
    still = encoded(image, "WEBP", lossless=True, exact=True)
    bitstream = still[still.index(b"VP8L"):]
    frame = (
        u24(left // 2) + u24(top // 2) + u24(image.width - 1) + u24(image.height - 1)
        + u24(100) + b"\0" + bitstream)
    body = (
        b"WEBP" + riff(b"VP8X", struct.pack("<I", 0x12) + u24(canvas[0] - 1) + u24(canvas[1] - 1))
        + riff(b"ANIM", b"\0\0\xff\xff\0\0") + riff(b"ANMF", frame) + riff(b"ANMF", frame))
    return riff(b"RIFF", body)


def main(art):
    GOLDENS.mkdir(exist_ok=True)
    for old in GOLDENS.iterdir():
        old.unlink()

    def drawing(path, width):
        image = Image.open(Path(art) / path).convert("RGBA")
        return image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS)

    flowers = drawing("animals/birds/mirjam_meijer_mirjam_mei_01.png", 72)
    balloons = drawing("recreation/party/balloons-aj.png", 60)
    certificate = drawing("office/certificate_01.png", 110)
    sky = Image.merge("RGB", [c.resize(flowers.size) for c in (
        Image.linear_gradient("L"), Image.radial_gradient("L"), Image.linear_gradient("L").rotate(90))])
    photo = Image.composite(flowers.convert("RGB"), sky, flowers.getchannel("A"))

    save("jpeg-420.jpg", encoded(photo, "JPEG", quality=90, subsampling="4:2:0"))
    save("jpeg-422.jpg", encoded(on_white(certificate), "JPEG", quality=85, subsampling="4:2:2"))
    save("jpeg-444.jpg", encoded(photo, "JPEG", quality=90, subsampling="4:4:4"))
    save("jpeg-gray.jpg", encoded(photo.convert("L"), "JPEG", quality=90))
    save("jpeg-progressive.jpg", encoded(photo, "JPEG", quality=90, progressive=True))
    save("jpeg-restarts.jpg", encoded(photo, "JPEG", quality=90, subsampling="4:2:0", restart_marker_rows=1))
    half_black = np.array(photo.convert("CMYK"))
    half_black[..., 3] = 255 - np.array(sky.convert("L")) // 2
    cmyk = Image.fromarray(half_black, "CMYK")
    adobe = encoded(cmyk, "JPEG", quality=90)
    save("jpeg-cmyk.jpg", adobe)
    save("jpeg-ycck.jpg", ycck(cmyk))
    # Pillow takes every CMYK file for Adobe's; without the marker 255 means full ink.
    inverted = encoded(Image.fromarray(255 - half_black, "CMYK"), "JPEG", quality=90)
    plain = Image.open(io.BytesIO(inverted))
    plain = Image.fromarray(255 - np.array(plain), "CMYK")
    save("jpeg-cmyk-plain.jpg", without_adobe_marker(inverted), peer=plain)
    bird = drawing("animals/birds/mirjam_meijer_mirjam_mei_01.png", 320)
    wide = Image.composite(bird.convert("RGB"), sky.resize(bird.size), bird.getchannel("A"))
    save("jpeg-320.jpg", encoded(wide, "JPEG", quality=80, subsampling="4:2:0"))
    save("jpeg-40x1.jpg", encoded(photo.crop((10, 30, 50, 31)), "JPEG", quality=90))

    save("png-rgb.png", encoded(photo, "PNG"))
    save("png-rgba.png", encoded(balloons, "PNG"))
    save("png-gray.png", encoded(photo.convert("L"), "PNG"))
    save("png-bilevel.png", encoded(photo.convert("1"), "PNG"))
    save("png-gray-alpha.png", encoded(balloons.convert("LA"), "PNG"))
    save("png-palette.png", encoded(on_white(certificate).quantize(200), "PNG"))
    save("png-palette-4bit.png", encoded(photo.quantize(16), "PNG", bits=4))
    save("png-palette-trns.png", encoded(balloons.quantize(64, Image.Quantize.FASTOCTREE), "PNG"))
    corner = on_white(balloons)
    save("png-rgb-trns.png", encoded(corner, "PNG", transparency=corner.getpixel((20, 20))))
    save("png-gray-trns.png", encoded(photo.convert("L"), "PNG", transparency=90))
    noise = np.random.default_rng(2).integers(0, 256, (48, 36, 4))
    deep = np.asarray(balloons.resize((36, 48)), dtype=np.int64) * 256 + noise
    save("png-rgb16.png", png(deep[..., :3], 2, 16))
    save("png-rgba16.png", png(deep, 6, 16))
    save("png-interlaced.png", png(np.asarray(balloons), 6, 8, interlaced=True))
    few = balloons.quantize(32, Image.Quantize.FASTOCTREE)
    colors = np.frombuffer(few.palette.tobytes(), np.uint8).reshape(-1, 4)
    save("png-interlaced-palette-trns.png", png(
        np.asarray(few)[..., None], 3, 8, interlaced=True,
        palette=colors[:, :3].tobytes(), transparency=colors[:, 3].tobytes()))
    save("png-1x1.png", encoded(photo.crop((30, 30, 31, 31)), "PNG"))
    save("png-1x30.png", encoded(balloons.crop((20, 5, 21, 35)), "PNG"))
    save("png-5x3.png", encoded(photo.crop((30, 30, 35, 33)), "PNG"))

    save("webp-lossy.webp", encoded(photo, "WEBP", quality=80))
    save("webp-lossy-alpha.webp", encoded(balloons, "WEBP", quality=80))
    save("webp-lossless.webp", encoded(photo.quantize(64).convert("RGB"), "WEBP", lossless=True))
    save("webp-lossless-alpha.webp", encoded(balloons, "WEBP", lossless=True, exact=True))
    save("webp-animated.webp", encoded(
        flowers, "WEBP", quality=70, save_all=True, append_images=[flowers.rotate(90)], duration=100))
    save("webp-animated-offset.webp", offset_animation(balloons.resize((30, 32)), 12, 6, (60, 44)))
    print(sum(f.stat().st_size for f in GOLDENS.iterdir()), "bytes in", len(list(GOLDENS.iterdir())), "files")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

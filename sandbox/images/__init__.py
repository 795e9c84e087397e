"""Root file systems of one's own: built from Debian packages, cached, the same for every backend.

palestra image build base

create(Spec(image="base"))
"""

from palestra.sandbox.images.recipe import RecipeError, UnknownImageError
from palestra.sandbox.images.store import Image, ImageNotBuiltError, find_image, image_folder, list_images

__all__ = [
    "Image",
    "ImageNotBuiltError",
    "RecipeError",
    "UnknownImageError",
    "find_image",
    "image_folder",
    "list_images",
]

"""The renderer: from a resolved compose project to the objects of a sandbox, without a cluster.

``plan`` brings together what is known of each service, ``kinds`` makes objects of it, one file a
kind of object, and ``keys`` decides what becomes of each key of the compose file. What has no
translation stands in the ``report``.
"""

from nomock.sandbox.render.images import Image
from nomock.sandbox.render.place import Place, place_of
from nomock.sandbox.render.rendering import Rendered, render
from nomock.sandbox.render.report import Line, Report
from nomock.sandbox.render.writing import write

__all__ = ["Image", "Line", "Place", "Rendered", "Report", "place_of", "render", "write"]

"""The images of the engine."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import quote

from nomock.adapters.engine.answers import said
from nomock.adapters.engine.configuration import Image, ImageConfig, image_config_of
from nomock.adapters.engine.conversation import Conversations
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError

_REGISTRY_ANSWERS_WITHIN_S = 5.0
_PULLED_WITHIN_S = 600.0


class Images(Conversations):
    """Asks for images, names them, and gets them."""

    def image_id(self, name: str) -> str | None:
        """Return the id of a local image, None when it is not here."""
        config = self.image_config(name)
        return config.id if config else None

    def image_config(self, name: str) -> ImageConfig | None:
        """Return what a local image says of its containers, None when it is not here."""
        path = f"/images/{quote(name, safe='/:@')}/json"
        found = self._found(path)
        if found is None:
            return None
        with self._reading(f"GET {path}", found):
            return image_config_of(found)

    def tag(self, image: str, name: str) -> None:
        """Give a local image one more name: ``host:port/name:tag``."""
        repository, _, tag = name.rpartition(":")
        path = f"/images/{quote(image, safe='/:@')}/tag"
        self._call("POST", path, {"repo": repository, "tag": tag})

    def remove_image(self, image_id: str) -> None:
        """Remove an image that nothing uses; one that has a tag or a container stays."""
        with self._request("DELETE", f"/images/{image_id}") as response:
            body = response.read()
            if response.status not in {404, 409}:  # gone, or in use
                self._answer(response, body, f"DELETE /images/{image_id}")

    def images(self) -> dict[str, Image]:
        """Return tag -> local image, in one request."""
        found = self._all("/images/json")
        with self._reading("GET /images/json", found):
            return {
                tag: Image(id=i["Id"], size_bytes=i.get("Size", 0), created_s=i.get("Created", 0))
                for i in found
                for tag in i.get("RepoTags") or []
            }

    def registry_silence(self, image: str, timeout_s: float) -> str | None:
        """Return why the engine cannot reach an image's registry; None if the registry answers.

        An answer may be a refusal: the docker client may have a login that the engine has not.
        """
        path = f"/distribution/{quote(image, safe='/:@')}/json"
        try:
            with self._request("GET", path, timeout_s=timeout_s) as response:
                body = response.read()
                if response.status < 500:
                    return None
                return said(body)
        except (EngineMissingError, EngineForbiddenError):
            raise
        except EngineError as error:  # no answer in time: a firewall swallows the question
            return error.what

    def pull(self, image: str, timeout_s: float) -> None:
        """Pull an image, without any login; raise EngineError with the registry's words."""
        query = {"fromImage": image, "tag": ""}
        if "@" not in image and ":" not in image.rpartition("/")[2]:
            query["tag"] = "latest"  # the engine would pull all that there are
        asked = "POST /images/create"
        with self._request("POST", "/images/create", query, timeout_s=timeout_s) as response:
            body = response.read()
            if response.status >= 400:
                self._answer(response, body, asked)
        # It has begun with 200 before it knew how that would end.
        with self._reading(asked, body.decode(errors="replace")):
            words = [
                line["error"] for line in map(json.loads, body.splitlines()) if "error" in line
            ]
        if words:
            raise EngineError(
                f"the engine could not pull {image}",
                where=f"engine at {self.address}",
                seen=str(words[-1]),
            )

    def obtain(self, image: str) -> None:
        """Pull an image, where it is not here; raise EngineError where it is not to be had."""
        if self.image_id(image) is not None:
            return
        refusal = self._silence(image)
        if refusal is None:
            try:
                self.pull(image, _PULLED_WITHIN_S)
                return
            except EngineError as error:
                refusal = error.seen or error.what
        raise EngineError(
            f"its image {image} is not here",
            where=f"engine at {self.address}",
            seen=f"nor to be had: {refusal}",
            todo=f"docker pull {image}; where no registry answers name one that is here and has "
            "python3, nft and tc: tools_image in [tool.nomock], or NOMOCK_TOOLS_IMAGE",
        )

    @cache  # noqa: B019 - an engine lasts as long as its process
    def _silence(self, image: str) -> str | None:
        # Where none answers, that is not to be waited for with each fault again.
        return self.registry_silence(image, _REGISTRY_ANSWERS_WITHIN_S)

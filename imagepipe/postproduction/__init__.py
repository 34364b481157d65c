"""From a raw picture to a master: inspection of uploads, upscaling, encoding."""

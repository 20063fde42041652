"""What `lanista watch` needs of pendulum: a frame is the observation, the board is drawn by `viewer.js`."""

from importlib import resources

from lanista_envs.state_frames import frame_of, last_frame_of, settings_of

SCRIPT = resources.files("lanista_envs.pendulum").joinpath("viewer.js").read_text(encoding="utf-8")

__all__ = ["SCRIPT", "frame_of", "last_frame_of", "settings_of"]

"""Teachers from elsewhere: files of plain arrays, of Stable-Baselines3, of ONNX, and scripted players."""

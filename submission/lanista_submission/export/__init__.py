"""A policy on its way out: to ONNX, compared with torch and the numpy runtime on recorded observations."""

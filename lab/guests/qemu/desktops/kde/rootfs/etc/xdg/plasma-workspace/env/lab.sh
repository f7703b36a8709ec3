# Rendering by OpenGL would be rendering by llvmpipe, on an emulated processor.
export QT_QUICK_BACKEND=software

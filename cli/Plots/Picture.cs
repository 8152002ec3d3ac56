using NinCudnn.Formats;
using ScottPlot;
using SkiaSharp;

namespace NinCudnn.Cli.Plots;

/// <summary>Writes pictures, as PNG or SVG by the file's name.</summary>
internal static class Picture
{
    // Where it is missing, the system's own choice. ScottPlot reads it when a plot or an item of a legend is made.
    static Picture() => Fonts.Default = "DejaVu Sans";

    public static Plot CreatePlot() => new();

    /// <summary>Refuses names of other formats and places, before anything is computed for the picture.</summary>
    /// <exception cref="ArgumentException">The name ends in neither .png nor .svg, or there is no such directory.</exception>
    public static void CheckName(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory && !Directory.Exists(directory))
            throw new ArgumentException($"there is no directory {directory} for the picture");
        if (!IsSvg(path) && !path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException($"the picture '{path}' must be named .png or .svg");
    }

    /// <summary>Writes plots side by side. The file appears whole or not at all.</summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="size">Width and height in pixels, of all plots together.</param>
    /// <param name="plots">The plots from left to right.</param>
    public static void Save(string path, (int Width, int Height) size, params Plot[] plots)
    {
        using var file = new AtomicFile(path);
        if (IsSvg(path))
        {
            using SKCanvas canvas = SKSvgCanvas.Create(SKRect.Create(size.Width, size.Height), file.Stream);
            Draw(canvas);
        }
        else
        {
            using SKSurface surface = SKSurface.Create(new SKImageInfo(size.Width, size.Height));
            Draw(surface.Canvas);
            using SKImage image = surface.Snapshot();
            using SKData data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
            data.SaveTo(file.Stream);
        }
        file.Finish();
        file.Commit();

        void Draw(SKCanvas canvas)
        {
            canvas.Clear(SKColors.White);
            float width = (float)size.Width / plots.Length;
            for (int i = 0; i < plots.Length; i++)
            {
                plots[i].RenderManager.ClearCanvasBeforeEachRender = false;
                plots[i].Render(canvas, new PixelRect(i * width, (i + 1) * width, size.Height, 0));
            }
        }
    }

    private static bool IsSvg(string path) => path.EndsWith(".svg", StringComparison.OrdinalIgnoreCase);
}

using SkiaSharp;

namespace OwnImages;

/// <summary>Draws pictures to train on: reddish circles, greenish squares and bluish triangles of any size somewhere on a dark ground.</summary>
internal static class ShapeImages
{
    private const int Size = 48;

    // Name, hue, and outline between -1 and 1 as SVG writes paths.
    private static readonly (string Name, int Hue, string Outline)[] _shapes =
    [
        ("circle", 0, "M-1 0 A1 1 0 0 1 1 0 A1 1 0 0 1 -1 0 Z"),
        ("square", 120, "M-1 -1 H1 V1 H-1 Z"),
        ("triangle", 240, "M0 -1 L1 1 H-1 Z"),
    ];

    /// <summary>Makes a folder with one folder of PNG files per shape; the same every time.</summary>
    /// <returns>The folder.</returns>
    public static string DrawFolder(string folder, int perClass)
    {
        var random = new Random(1);
        foreach (var (name, hue, outline) in _shapes)
        {
            string directory = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
            using SKPath path = SKPath.ParseSvgPathData(outline)!;
            for (int i = 0; i < perClass; i++)
                Draw(Path.Combine(directory, $"{i:D3}.png"), path, hue, random);
        }
        return folder;
    }

    private static void Draw(string file, SKPath outline, int hue, Random random)
    {
        using var bitmap = new SKBitmap(Size, Size);
        using var canvas = new SKCanvas(bitmap);
        using var paint = new SKPaint { Color = SKColor.FromHsv((hue + random.Next(330, 390)) % 360, 80, 90), IsAntialias = true };
        canvas.Clear(SKColor.FromHsv(random.Next(360), 30, random.Next(10, 50)));
        canvas.Translate(random.Next(16, Size - 16), random.Next(16, Size - 16));
        canvas.Scale(random.Next(8, 16));
        canvas.DrawPath(outline, paint);
        canvas.Flush();
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using FileStream stream = File.Create(file);
        png.SaveTo(stream);
    }
}

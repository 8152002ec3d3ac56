using NinCudnn.Operators;

namespace NinCudnn.Data;

/// <summary>How the images of an <see cref="ImageFolder"/> are loaded.</summary>
public sealed record ImageFolderOptions
{
    /// <summary>H, the rows that every image is resized to, 1 to 4096.</summary>
    public required int Height { get; init; }

    /// <summary>W, the columns that every image is resized to, 1 to 4096.</summary>
    public required int Width { get; init; }

    /// <summary>
    /// 3 for red, green and blue, 1 for grey (ITU-R 601 luma), null for grey if all images of the split are grey, and else for colours.
    /// </summary>
    public int? Channels { get; init; }

    /// <summary>Whether files that cannot be decoded are left out; else they are an error.</summary>
    public bool SkipBroken { get; init; }

    /// <summary>Where decoded images are kept for the next time.</summary>
    public string CacheDirectory { get; init; } = DefaultCacheDirectory();

    /// <summary>Receives the number of images decoded so far and of all of them, on the threads that decode. Not called for cached images.</summary>
    public Action<int, int>? Progress { get; init; }

    /// <summary>Receives what is worth knowing but no error, as one line.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>The folder "images" in <see cref="TuningCache.DefaultDirectory"/>.</summary>
    public static string DefaultCacheDirectory() => Path.Combine(TuningCache.DefaultDirectory(), "images");

    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal void Validate()
    {
        if (Height is < 1 or > 4096 || Width is < 1 or > 4096)
            throw new ArgumentException($"the size of images is {Height}×{Width}, but must be between 1 and 4096");
        if (Channels is not (null or 1 or 3))
            throw new ArgumentException($"the number of channels is {Channels}, but must be 1 or 3");
    }
}

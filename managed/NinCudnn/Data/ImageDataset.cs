namespace NinCudnn.Data;

/// <summary>Labelled 8-bit images of one size, immutable, all in host memory.</summary>
public sealed class ImageDataset
{
    private const int MaxClasses = ushort.MaxValue + 1;

    private readonly byte[] _images;
    private readonly ushort[] _labels;

    /// <summary>Takes the arrays over without copying; the caller must not change them afterwards.</summary>
    /// <param name="name">What the set is called in messages, for example "fashion-mnist train".</param>
    /// <param name="images">(N, H, W, C), values 0…255.</param>
    /// <param name="labels">(N), each less than the number of class names.</param>
    /// <param name="height">H, at least 1.</param>
    /// <param name="width">W, at least 1.</param>
    /// <param name="channels">C, at least 1.</param>
    /// <param name="classNames">One name per class, 1 to 65536.</param>
    /// <exception cref="ArgumentException">The set is empty, or the lengths or a label do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public ImageDataset(string name, byte[] images, ushort[] labels, int height, int width, int channels, IReadOnlyList<string> classNames)
        : this(name, images, labels, labels.Length, height, width, channels, classNames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        if (labels.Length == 0)
            throw new ArgumentException($"{name}: the set is empty.", nameof(labels));
        if ((UInt128)images.Length != (UInt128)labels.Length * (UInt128)height * (UInt128)width * (UInt128)channels)
        {
            throw new ArgumentException(
                $"{name}: {labels.Length} labels need as many images of {height}×{width}×{channels}, there are {images.Length} bytes.",
                nameof(images));
        }

        if (classNames.Count is < 1 or > MaxClasses)
            throw new ArgumentException($"{name}: {classNames.Count} class names, there must be 1 to {MaxClasses}.", nameof(classNames));
        var bad = labels.AsSpan().IndexOfAnyExceptInRange((ushort)0, (ushort)(classNames.Count - 1));
        if (bad >= 0)
            throw new ArgumentException($"{name}: label {bad} is {labels[bad]}, there are {classNames.Count} classes.", nameof(labels));
    }

    private ImageDataset(
        string name, byte[] images, ushort[] labels, int count, int height, int width, int channels, IReadOnlyList<string> classNames)
    {
        Name = name;
        _images = images;
        _labels = labels;
        Count = count;
        Height = height;
        Width = width;
        Channels = channels;
        ClassNames = classNames;
    }

    /// <summary>What the set is called in messages.</summary>
    public string Name { get; }

    /// <summary>All images: (N, H, W, C), N being <see cref="Count"/>.</summary>
    public ReadOnlySpan<byte> Images => _images.AsSpan(0, Count * ImageBytes);

    /// <summary>All labels: (N).</summary>
    public ReadOnlySpan<ushort> Labels => _labels.AsSpan(0, Count);

    /// <summary>The classes' names; a label is an index into this list.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>N, the number of images.</summary>
    public int Count { get; }

    /// <summary>H, rows of an image.</summary>
    public int Height { get; }

    /// <summary>W, columns of an image.</summary>
    public int Width { get; }

    /// <summary>C, channels of an image.</summary>
    public int Channels { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>Bytes of one image: H·W·C.</summary>
    public int ImageBytes => Height * Width * Channels;

    /// <summary>Returns image <paramref name="index"/>: (H, W, C).</summary>
    /// <param name="index">0 to N - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> Image(int index) => Images.Slice(index * ImageBytes, ImageBytes);

    /// <summary>Returns the set of the first <paramref name="count"/> images; it shares the memory of this one.</summary>
    /// <param name="count">1 to N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The set has fewer images, or none are asked for.</exception>
    public ImageDataset Take(int count)
    {
        if (count < 1 || count > Count)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"{Name} has {Count} images; 1 to {Count} can be taken.");
        return new ImageDataset(Name, _images, _labels, count, Height, Width, Channels, ClassNames);
    }

    /// <summary>Returns the same images with three channels: grey ones get three equal channels, others must have three.</summary>
    internal ImageDataset WithThreeChannels()
    {
        if (Channels == 3)
            return this;
        if (Images.Length > Array.MaxLength / 3)
            throw new InvalidDataException($"{Name}: {Count} images of {Height}×{Width}×3 are more than an array holds");
        var images = new byte[Images.Length * 3]; // (N, H, W, C)
        for (var i = 0; i < Images.Length; i++)
            images.AsSpan(i * 3, 3).Fill(Images[i]);
        return new ImageDataset(Name, images, _labels, Count, Height, Width, 3, ClassNames);
    }
}

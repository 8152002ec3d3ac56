namespace NinCudnn.Data;

/// <summary>A data set in CIFAR's binary format: files of records, each of them labels and a colour image of 32×32.</summary>
public sealed record CifarDataset : KnownDataset
{
    private const int Size = 32; // rows and columns
    private const int Channels = 3;
    private const int PlaneBytes = Size * Size;
    private const int ImageBytes = Channels * PlaneBytes;

    /// <summary>The records to train on.</summary>
    public required IReadOnlyList<DatasetFile> TrainFiles { get; init; }

    /// <summary>The records to evaluate on.</summary>
    public required IReadOnlyList<DatasetFile> TestFiles { get; init; }

    /// <summary>The number of coarse classes, whose label goes before the label proper and is not loaded; null without such a label.</summary>
    public int? CoarseClasses { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<DatasetFile> Files => [.. TrainFiles, .. TestFiles];

    private int LabelBytes => CoarseClasses is null ? 1 : 2;

    private int RecordBytes => LabelBytes + ImageBytes;

    /// <summary>
    /// Loads one split. A record is a label byte (before it a byte with the coarse label, if there are any), then the red, the green and the
    /// blue plane, 32×32 bytes each. The files are joined in order; their number of records is free.
    /// </summary>
    /// <returns>Images (N, 32, 32, 3) in the order red, green, blue.</returns>
    /// <inheritdoc/>
    public override ImageDataset Load(string directory, DatasetSplit split)
    {
        string[] paths = [.. (split == DatasetSplit.Train ? TrainFiles : TestFiles).Select(file => Require(file, directory))];
        int[] counts = [.. paths.Select(CountRecords)];
        var count = counts.Sum(records => (long)records);
        if (count * ImageBytes > Array.MaxLength)
            throw new InvalidDataException($"{paths[0]}: {count} images of {Title} in {directory}, more than an array holds");

        var images = new byte[count * ImageBytes]; // (N, H, W, C)
        var labels = new ushort[count];
        var first = 0;
        for (var i = 0; i < paths.Length; first += counts[i++])
            ReadRecords(paths[i], images.AsSpan(first * ImageBytes), labels.AsSpan(first, counts[i]));
        return new ImageDataset(NameOf(split), images, labels, Size, Size, Channels, ClassNames);
    }

    private int CountRecords(string path)
    {
        var length = new FileInfo(path).Length;
        var (count, rest) = Math.DivRem(length, RecordBytes);
        if (count == 0 || rest != 0)
        {
            throw new InvalidDataException(
                $"{path}: {length} bytes are not records of {RecordBytes}; the last one begins at offset {count * RecordBytes} and has {rest}");
        }

        return count * ImageBytes <= Array.MaxLength
            ? (int)count
            : throw new InvalidDataException($"{path}: {length} bytes are {count} images, more than an array holds");
    }

    private void ReadRecords(string path, Span<byte> images, Span<ushort> labels)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20);
        var record = new byte[RecordBytes];
        for (var i = 0; i < labels.Length; i++)
        {
            var offset = (long)i * RecordBytes;
            var count = file.ReadAtLeast(record, record.Length, throwOnEndOfStream: false);
            if (count < record.Length)
                throw new InvalidDataException($"{path}: the content ends at offset {offset + count}, inside a record");
            if (CoarseClasses is { } coarse)
                CheckLabel("coarse label", 0, coarse);
            CheckLabel("label", LabelBytes - 1, ClassNames.Count);
            labels[i] = record[LabelBytes - 1];

            ReadOnlySpan<byte> planes = record.AsSpan(LabelBytes); // (C, H, W)
            var image = images.Slice(i * ImageBytes, ImageBytes); // (H, W, C)
            for (var pixel = 0; pixel < PlaneBytes; pixel++)
            {
                for (var c = 0; c < Channels; c++)
                    image[pixel * Channels + c] = planes[c * PlaneBytes + pixel];
            }

            void CheckLabel(string what, int at, int classes)
            {
                if (record[at] >= classes)
                    throw new InvalidDataException($"{path}: {what} {record[at]} at offset {offset + at}, {Title} has {classes} classes");
            }
        }
    }
}

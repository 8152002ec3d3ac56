using NinCudnn.Cli.Output;
using NinCudnn.Data;
using NinCudnn.Devices;

namespace NinCudnn.Cli;

/// <summary>Where images come from, as the options say.</summary>
internal abstract class DataSource
{
    /// <summary>What reports call it.</summary>
    public abstract string Name { get; }

    /// <summary>What <c>nin data info</c> tells.</summary>
    public abstract DataSummary Summarize();

    /// <summary>Loads both splits.</summary>
    /// <param name="limits">The most images to take of each split, null for all.</param>
    /// <param name="imageSize">Height and width of the network's input, which images of any size are brought to.</param>
    /// <param name="loading">Shows how far it is.</param>
    public abstract (ImageDataset Train, ImageDataset Test) LoadBoth((int? Train, int? Test) limits, int imageSize, LoadingReporter loading);

    /// <summary>Loads the test split for a network.</summary>
    /// <param name="limit">The most images to take, null for all.</param>
    /// <param name="imageSize">As <see cref="LoadBoth"/>'s.</param>
    /// <param name="channels">The channels that the network takes.</param>
    /// <param name="loading">Shows how far it is.</param>
    public abstract ImageDataset LoadTest(int? limit, int imageSize, int channels, LoadingReporter loading);
}

/// <summary>What there is to say about a source.</summary>
/// <param name="Facts">Lines with their headings.</param>
/// <param name="ClassNames">The classes.</param>
/// <param name="TrainLabels">The label of each image to train on.</param>
/// <param name="TestLabels">The label of each image to evaluate on.</param>
internal sealed record DataSummary(
    IReadOnlyList<(string Heading, string Fact)> Facts, IReadOnlyList<string> ClassNames, ushort[] TrainLabels, ushort[] TestLabels);

/// <summary>A data set that is known by name.</summary>
/// <param name="dataset">Which.</param>
/// <param name="directory">The directory with its files; null to search.</param>
internal sealed class KnownSource(KnownDataset dataset, string? directory) : DataSource
{
    public override string Name => dataset.Name;

    public override DataSummary Summarize()
    {
        string path = new DatasetLocator().Locate(dataset, directory);
        ImageDataset train = dataset.Load(path, DatasetSplit.Train), test = dataset.Load(path, DatasetSplit.Test);
        return new DataSummary(
            [("data set", $"{dataset.Title}, {dataset.Description}"), ("files in", path)], dataset.ClassNames, train.Labels.ToArray(), test.Labels.ToArray());
    }

    public override (ImageDataset Train, ImageDataset Test) LoadBoth((int? Train, int? Test) limits, int imageSize, LoadingReporter loading) =>
        (Load(DatasetSplit.Train, limits.Train), Load(DatasetSplit.Test, limits.Test));

    public override ImageDataset LoadTest(int? limit, int imageSize, int channels, LoadingReporter loading) => Load(DatasetSplit.Test, limit);

    private ImageDataset Load(DatasetSplit split, int? limit)
    {
        ImageDataset images = dataset.Load(new DatasetLocator().Locate(dataset, directory), split);
        return limit is { } count && count < images.Count ? images.Take(count) : images;
    }
}

/// <summary>A folder of the user's images.</summary>
/// <param name="folder">Which.</param>
/// <param name="imageSize">The size to decode to; null for the network's.</param>
/// <param name="channels">The channels to decode to; null for the images' own, or the network's where there is one.</param>
/// <param name="skipBroken">Whether files that can't be decoded are left out.</param>
internal sealed class FolderSource(ImageFolder folder, int? imageSize, int? channels, bool skipBroken) : DataSource
{
    public override string Name => folder.Name;

    public override DataSummary Summarize()
    {
        var cache = new DirectoryInfo(ImageFolderOptions.DefaultCacheDirectory());
        long[] lengths = cache.Exists ? [.. cache.EnumerateFiles().Select(file => file.Length)] : [];
        return new DataSummary(
            [("folder", folder.FullPath), ("cache", $"{cache.FullName}, {ByteSize.Format(lengths.Sum())} of all folders")],
            folder.ClassNames, Labels(DatasetSplit.Train), Labels(DatasetSplit.Test));

        ushort[] Labels(DatasetSplit split) => [.. folder.Images(split).Select(image => image.Label)];
    }

    public override (ImageDataset Train, ImageDataset Test) LoadBoth((int? Train, int? Test) limits, int imageSize, LoadingReporter loading) =>
        loading.Around(() => folder.LoadBoth(Options(imageSize, channels, loading), limits.Train, limits.Test, loading.Stop));

    public override ImageDataset LoadTest(int? limit, int imageSize, int channels, LoadingReporter loading) =>
        loading.Around(() => folder.Load(DatasetSplit.Test, Options(imageSize, channels, loading), limit, loading.Stop));

    private ImageFolderOptions Options(int networkSize, int? networkChannels, LoadingReporter loading) => new()
    {
        Height = imageSize ?? networkSize,
        Width = imageSize ?? networkSize,
        Channels = channels ?? networkChannels,
        SkipBroken = skipBroken,
        Progress = loading.Decoded,
        Note = loading.Note,
    };
}

using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>What data sets take of device memory, and which of them there is room for.</summary>
internal static class DataRoom
{
    // Of what is free, for what the libraries take when they are first used, and for memory in pieces. BatchSearch leaves more, so that a
    // batch which it found for resident data keeps them resident.
    private const double Reserve = 0.03;

    /// <summary>What to do where images that must lie on the device do not fit.</summary>
    public const string Remedy = "images that stream from host memory need less";

    /// <summary>Device memory that a data set takes, in bytes.</summary>
    /// <param name="dataset">The images and labels.</param>
    /// <param name="batch">Samples per step, which is what data that stream take room for.</param>
    /// <param name="placement">Where they lie; with <see cref="DataPlacement.Auto"/> where they take less.</param>
    public static long Bytes(ImageDataset dataset, int batch, DataPlacement placement)
    {
        long sampleBytes = dataset.ImageBytes + sizeof(int), resident = dataset.Count * sampleBytes;
        long streamed = (long)StreamedBatches.SlotCount * Math.Min(batch, dataset.Count) * sampleBytes;
        return placement switch
        {
            DataPlacement.Resident => resident,
            DataPlacement.Stream => streamed,
            _ => Math.Min(resident, streamed),
        };
    }

    /// <summary>Places data sets as asked; with <see cref="DataPlacement.Auto"/> by how much memory the network is going to take, which is measured.</summary>
    /// <param name="asked">The placement asked for.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="options">The plan that takes most.</param>
    /// <param name="resources">What the plan needs but for the data, already in device memory.</param>
    /// <param name="datasets">The sets, see <see cref="Choose"/>.</param>
    /// <returns>Each set's placement, and why not all are resident, where that was not asked for.</returns>
    public static (DataPlacement[] Placements, string? Reason) Place(
        DataPlacement asked, Architecture architecture, PlanOptions options, PlanResources resources, params ImageDataset[] datasets)
    {
        if (asked != DataPlacement.Auto)
            return ([.. datasets.Select(_ => asked)], null);
        long networkBytes = PlanMemory.Measure(architecture, options, resources).ArenaBytes;
        return Choose(resources.Stream.Device.FreeBytes, networkBytes, options.Batch, datasets);
    }

    /// <summary>
    /// Chooses where each data set lies: all on the device if they fit there; else the first that make enough room stream, for example of two
    /// the first, or the second, or both. What would take no less room does not stream.
    /// </summary>
    /// <param name="freeBytes">Free device memory.</param>
    /// <param name="networkBytes">What of it the network is going to take.</param>
    /// <param name="batch">Samples per step.</param>
    /// <param name="datasets">The sets.</param>
    /// <returns>Each set's placement, and why not all are resident, if they are not.</returns>
    public static (DataPlacement[] Placements, string? Reason) Choose(long freeBytes, long networkBytes, int batch, params ImageDataset[] datasets)
    {
        long usable = (long)(freeBytes * (1 - Reserve));
        long residentBytes = datasets.Sum(dataset => Bytes(dataset, batch, DataPlacement.Resident));
        DataPlacement[] placements = [];
        for (int streaming = 0; streaming < 1 << datasets.Length; streaming++) // bit i: set i may stream
        {
            placements = [.. datasets.Select((dataset, i) => Placement(dataset, isStreaming: (streaming >> i & 1) != 0))];
            if (networkBytes + datasets.Zip(placements).Sum(placed => Bytes(placed.First, batch, placed.Second)) <= usable)
                break;
        }
        return (placements, placements.Contains(DataPlacement.Stream)
            ? $"{ByteSize.Format(residentBytes)} of data and {ByteSize.Format(networkBytes)} of tensors do not fit into the {ByteSize.Format(usable)} "
                + "of device memory that can be used"
            : null);

        DataPlacement Placement(ImageDataset dataset, bool isStreaming) =>
            isStreaming && Bytes(dataset, batch, DataPlacement.Stream) < Bytes(dataset, batch, DataPlacement.Resident)
                ? DataPlacement.Stream
                : DataPlacement.Resident;
    }
}

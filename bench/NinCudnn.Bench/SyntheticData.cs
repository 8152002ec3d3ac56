using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Numerics;

namespace NinCudnn.Bench;

/// <summary>Data that is the same in every run.</summary>
internal static class SyntheticData
{
    public const int Classes = 10;

    /// <summary>Grey images of random pixels, with random labels.</summary>
    public static ImageDataset Images(int count, int size)
    {
        var random = new SplitMix64(1);
        var images = new byte[count * size * size];
        var labels = new ushort[count];
        for (int i = 0; i < images.Length; i++)
            images[i] = (byte)random.NextUInt64();
        for (int i = 0; i < count; i++)
            labels[i] = (ushort)(random.NextUInt64() % Classes);
        string[] names = [.. Enumerable.Range(0, Classes).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        return new ImageDataset("synthetic", images, labels, size, size, 1, names);
    }

    /// <summary>Device memory of random numbers in [-0.5, 0.5), float32.</summary>
    public static DeviceBuffer<float> Floats(Device device, long count)
    {
        var random = new SplitMix64((ulong)count);
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(random.NextUnit() - 0.5);
        DeviceBuffer<float> buffer = device.Allocate<float>(count);
        buffer.Upload(values);
        return buffer;
    }
}

using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>Element types, launches and numbers that the kernels' tests share.</summary>
internal static class TestData
{
    public static readonly DataType[] Types = [DataType.Float32, DataType.Float16, DataType.BFloat16];

    /// <summary>One warp; blocks with a part of a warp; more threads than work.</summary>
    public static readonly (uint Blocks, uint BlockSize)[] Launches = [(1, 32), (2, 100), (40, 256)];

    /// <summary>Element type × launch.</summary>
    public static TheoryData<DataType, uint, uint> TypesAndLaunches()
    {
        var data = new TheoryData<DataType, uint, uint>();
        foreach (DataType type in Types)
        {
            foreach (var (blocks, blockSize) in Launches)
                data.Add(type, blocks, blockSize);
        }
        return data;
    }

    /// <summary>Numbers of both signs and of several magnitudes.</summary>
    public static float[] Numbers(int count, int seed, float scale = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = scale * (float)((random.NextDouble() * 2 - 1) * Math.ScaleB(1, random.Next(-6, 3)));
        return values;
    }

    /// <summary>Such numbers with the special ones among them: signed zeros, subnormals, infinities, NaN, too large for binary16.</summary>
    public static float[] SpecialNumbers(int count, int seed)
    {
        float[] special =
        [
            0, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 65519.99f, 65520, -70000, 6e-8f, 2.98e-8f, 1e-40f, -1e-40f,
            1.0009765f, 3.4e38f,
        ];
        float[] values = Numbers(count, seed);
        for (int i = 0; i < count; i += 3)
            values[i] = special[i / 3 % special.Length];
        return values;
    }
}

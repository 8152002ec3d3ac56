namespace NinCudnn.Data;

/// <summary>
/// Pillow's bilinear resize of 8-bit images (<c>Image.resize(size, Image.BILINEAR)</c>), equal to the bit: a triangle filter that
/// widens when the image shrinks, in fixed point, horizontal pass first, rounded to 8 bits between the passes.
/// </summary>
public static class BilinearResize
{
    /// <summary>Fraction bits of a weight.</summary>
    public const int WeightBits = 22;

    private const int Half = 1 << (WeightBits - 1);

    /// <summary>
    /// Builds the weights of one axis. For output position o the centre is c = (o + 0.5)·in/out and the half-width r = max(in/out, 1);
    /// the input positions i from trunc(c - r + 0.5) to trunc(c + r + 0.5) - 1, cut at the borders, weigh max(0, 1 - |i - c + 0.5|/r),
    /// divided by their sum and rounded to a multiple of 2^-22. If the sizes are equal, the axis is copied: one weight of 2^22.
    /// </summary>
    /// <param name="inSize">Input positions, at least 1.</param>
    /// <param name="outSize">Output positions, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static ResizeAxis Axis(int inSize, int outSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outSize, 1);
        if (inSize == outSize)
            return CopyAxis(inSize);

        var scale = (double)inSize / outSize;
        var radius = Math.Max(scale, 1.0);
        var bounds = new int[outSize * 2]; // (out, 2)
        var taps = 0;
        for (var o = 0; o < outSize; o++)
        {
            var centre = (o + 0.5) * scale;
            var first = Math.Max((int)(centre - radius + 0.5), 0);
            var end = Math.Min((int)(centre + radius + 0.5), inSize);
            bounds[o * 2] = first;
            bounds[o * 2 + 1] = end - first;
            taps = Math.Max(taps, end - first);
        }

        var weights = new int[checked(outSize * taps)]; // (out, taps)
        var triangle = new double[taps];
        for (var o = 0; o < outSize; o++)
        {
            var centre = (o + 0.5) * scale;
            var (first, count) = (bounds[o * 2], bounds[o * 2 + 1]);
            var sum = 0.0;
            for (var t = 0; t < count; t++)
            {
                triangle[t] = Math.Max(0.0, 1.0 - Math.Abs(t + first - centre + 0.5) / radius);
                sum += triangle[t];
            }

            for (var t = 0; t < count; t++)
                weights[o * taps + t] = (int)(0.5 + triangle[t] / sum * (1 << WeightBits));
        }

        return new ResizeAxis(bounds, weights, taps);
    }

    /// <summary>Resizes one image on the CPU, plainly: the reference for the input kernel and the tool for single images.</summary>
    /// <param name="source">(height, width, channels).</param>
    /// <param name="height">Rows of the source, at least 1.</param>
    /// <param name="width">Columns of the source, at least 1.</param>
    /// <param name="channels">Channels, at least 1; each is resized by itself.</param>
    /// <param name="outHeight">Rows of the result, at least 1.</param>
    /// <param name="outWidth">Columns of the result, at least 1.</param>
    /// <returns>(outHeight, outWidth, channels).</returns>
    /// <exception cref="ArgumentException">The source's length is not height·width·channels.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static byte[] Resize(ReadOnlySpan<byte> source, int height, int width, int channels, int outHeight, int outWidth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var horizontal = Axis(width, outWidth);
        var vertical = Axis(height, outHeight);
        if (source.Length != (long)height * width * channels)
            throw new ArgumentException($"{source.Length} bytes are not an image of {height}×{width}×{channels}.", nameof(source));

        var wide = new byte[checked(height * outWidth * channels)]; // (height, outWidth, channels)
        var (rowBytes, wideRowBytes) = (width * channels, outWidth * channels);
        for (var y = 0; y < height; y++)
            ResizeLines(source.Slice(y * rowBytes, rowBytes), wide.AsSpan(y * wideRowBytes, wideRowBytes), horizontal, channels);

        var result = new byte[checked(outHeight * outWidth * channels)];
        ResizeLines(wide, result, vertical, wideRowBytes);
        return result;
    }

    /// <summary>Resizes along the first axis of (in, inner) into (out, inner).</summary>
    private static void ResizeLines(ReadOnlySpan<byte> source, Span<byte> destination, ResizeAxis axis, int inner)
    {
        for (var o = 0; o < destination.Length / inner; o++)
        {
            var (first, count) = (axis.Bounds[o * 2], axis.Bounds[o * 2 + 1]);
            for (var k = 0; k < inner; k++)
            {
                var sum = Half;
                for (var t = 0; t < count; t++)
                    sum += source[(first + t) * inner + k] * axis.Weights[o * axis.Taps + t];
                destination[o * inner + k] = (byte)Math.Clamp(sum >> WeightBits, 0, 255);
            }
        }
    }

    private static ResizeAxis CopyAxis(int size)
    {
        var bounds = new int[size * 2];
        var weights = new int[size];
        for (var o = 0; o < size; o++)
        {
            bounds[o * 2] = o;
            bounds[o * 2 + 1] = 1;
            weights[o] = 1 << WeightBits;
        }

        return new ResizeAxis(bounds, weights, 1);
    }
}

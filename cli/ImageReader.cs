using NinCudnn.Data;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>Decodes images to what a model's network takes.</summary>
internal sealed class ImageReader
{
    private readonly int _channels;
    private readonly bool _isInverted;

    /// <param name="model">The model.</param>
    /// <param name="isInverted">Whether images are dark on light where the model's are light on dark, or the other way round.</param>
    /// <exception cref="NotSupportedException">The network's channels are neither grey nor colours.</exception>
    public ImageReader(ModelDescription model, bool isInverted)
    {
        _channels = model.Architecture.InputChannels;
        _isInverted = isInverted;
        if (_channels is not (1 or 3))
            throw new NotSupportedException($"the network takes {_channels} channels; images have 1 or 3");
    }

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="size">Height and width.</param>
    /// <param name="pixels">(size, size, channels of the network)</param>
    /// <exception cref="InvalidDataException">It can't be decoded.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public void Decode(string path, int size, Span<byte> pixels)
    {
        ImageDecoder.Decode(path, size, size, isLuma: _channels == 1, pixels);
        InvertIfAsked(pixels);
    }

    /// <summary>Decodes the content of a file.</summary>
    /// <param name="content">The content.</param>
    /// <param name="size">Height and width.</param>
    /// <param name="pixels">(size, size, channels of the network)</param>
    /// <param name="maxPixels">Pixels that the image may have.</param>
    /// <exception cref="InvalidDataException">It can't be decoded, or is too large.</exception>
    public void Decode(Stream content, int size, Span<byte> pixels, long maxPixels)
    {
        ImageDecoder.Decode(content, size, size, isLuma: _channels == 1, pixels, maxPixels);
        InvertIfAsked(pixels);
    }

    private void InvertIfAsked(Span<byte> pixels)
    {
        if (!_isInverted)
            return;
        foreach (ref byte pixel in pixels)
            pixel = (byte)(byte.MaxValue - pixel);
    }
}

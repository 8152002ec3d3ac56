using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>A trained model on a device, ready for images. Owns all of it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly Device _device;

    /// <param name="model">The model.</param>
    /// <param name="isInverted">Whether images are dark on light where the model's are light on dark, or the other way round.</param>
    /// <param name="device">Where to run it; from here on owned by this.</param>
    /// <param name="precision">What <c>--precision</c> asks for.</param>
    /// <param name="batch">Images that run at once.</param>
    public LoadedModel(ModelFile model, bool isInverted, Device device, string? precision, int batch)
    {
        ModelDescription description = model.Description;
        Images = new ImageReader(description, isInverted);
        _device = device;
        (Predictor, _) = PrecisionChoice.Of(precision, Precision.Float32, device).Make(
            used => Predictor.Load(device, model, description.ImageSize, description.ImageSize, batch, used));
    }

    /// <summary>Decodes images for the model.</summary>
    public ImageReader Images { get; }

    public Predictor Predictor { get; }

    public ModelDescription Description => Predictor.Model;

    public void Dispose()
    {
        Predictor.Dispose();
        _device.Dispose();
    }
}

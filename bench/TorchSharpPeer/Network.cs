using NinCudnn.Networks;
using NinCudnn.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace TorchSharpPeer;

/// <summary>A NinCudnn architecture as TorchSharp modules, written as its users write it: NCHW, no fused layers.</summary>
internal sealed class Network : Module<Tensor, Tensor>
{
    private readonly Sequential _layers;

    /// <summary>Takes the model's parameters over.</summary>
    public Network(ModelFile model, ScalarType type)
        : base("network")
    {
        var layers = new List<Module<Tensor, Tensor>>();
        int inputChannels = model.Description.Architecture.InputChannels;
        foreach (var (index, layer) in model.Description.Architecture.Layers.Index())
        {
            switch (layer)
            {
                case NinBlock block:
                    layers.Add(Convolution($"{index}.0", block.Channels, block.Kernel, block.Stride, block.Padding));
                    layers.Add(ReLU());
                    foreach (var (position, channels) in block.PointwiseChannels.Index())
                    {
                        layers.Add(Convolution($"{index}.{2 * position + 2}", channels, 1, 1, 0));
                        layers.Add(ReLU());
                    }
                    break;
                case NinCudnn.Networks.MaxPool pool:
                    layers.Add(MaxPool2d(pool.Window, stride: pool.Stride, padding: pool.Padding));
                    break;
                case DropoutLayer dropout:
                    layers.Add(Dropout(dropout.Rate));
                    break;
                case GlobalAveragePool:
                    layers.Add(AdaptiveAvgPool2d(1));
                    break;
                case NinCudnn.Networks.Flatten:
                    layers.Add(Flatten());
                    break;
                default:
                    throw new NotSupportedException($"{layer}");
            }
        }
        _layers = Sequential(layers);
        RegisterComponents();

        Conv2d Convolution(string name, int channels, int kernel, int stride, int padding)
        {
            Conv2d convolution = Conv2d(inputChannels, channels, kernel, stride: stride, padding: padding, dtype: type);
            inputChannels = channels;
            using (no_grad())
            {
                using Tensor weight = tensor(model.Parameters[$"{name}.weight"]).reshape(convolution.weight.shape).to(type);
                using Tensor bias = tensor(model.Parameters[$"{name}.bias"]).to(type);
                convolution.weight.copy_(weight);
                convolution.bias!.copy_(bias);
            }
            return convolution;
        }
    }

    public override Tensor forward(Tensor input) => _layers.forward(input);
}
